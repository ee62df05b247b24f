// Test guests whose disks lie in a Ceph cluster, with the credentials in their definition.
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Connection, DomainCreateFlags, DomainXMLFlags } from '../../lib';
import { type PrivateLibvirtd, TestGuest } from '../../lib/testing';
import { startAndWait } from '../../lib/testing/guest-ready';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { element, formatXml, type XmlElement } from '../../lib/xml/document';
import { readDomain, redefineDisk } from '../../lib/xml/domain';
import { BareDomain } from '../guest/bare-domain';
import type { Ceph } from './ceph';

/** Tells the daemon the cluster's key; the result is what disks refer to it by. */
export async function defineSecret(
  daemon: PrivateLibvirtd,
  ceph: Ceph,
  { name = 'client.admin', private: isPrivate = false, uuid = randomUUID() as string } = {},
): Promise<string> {
  const usage = element('usage', { type: 'ceph' }, element('name', {}, name));
  const file = join(ceph.directory, 'secret.xml');
  await writeFile(
    file,
    formatXml(element('secret', { private: isPrivate ? 'yes' : 'no' }, element('uuid', {}, uuid), usage)),
  );
  await daemon.virsh('secret-define', file);
  await daemon.virsh('secret-set-value', uuid, await ceph.key());
  return uuid;
}

export function rbdSource(ceph: Ceph, secret: string, image: string): XmlElement {
  return element(
    'source',
    { protocol: 'rbd', name: image },
    element('host', { name: '127.0.0.1', port: ceph.port }),
    element('auth', { username: 'admin' }, element('secret', { type: 'ceph', uuid: secret })),
  );
}

/** Without an operating system, off: vda is the raw image `rbd/NAME` of 64 MiB, vdb an empty qcow2 file in `folder`. */
export async function bareCephDomain(
  connection: Connection,
  ceph: Ceph,
  secret: string,
  { folder }: { folder?: string } = {},
) {
  const directory = await temporaryDirectory('bare');
  const vm = await BareDomain.define(connection, directory, { disks: 2, ...(folder && { folder }) });
  const image = `rbd/${basename(directory)}`;
  await ceph.rbd('create', image, '--size', '64');
  const disk = { type: 'network', source: rbdSource(ceph, secret, image), format: 'raw' } as const;
  await connection.domainDefineXML(redefineDisk(await vm.domain.getXMLDesc(), 'vda', disk));
  return { vm, domain: vm.domain, image, qcow2: join(folder ?? directory, 'vdb.qcow2') };
}

/** Moves a disk of a guest that is off into the cluster, as the image `rbd/GUEST-TARGET` of the same format. */
export async function moveToCeph(guest: TestGuest, target: string, ceph: Ceph, secret: string): Promise<string> {
  const image = `rbd/${guest.name}-${target}`;
  await ceph.rbd('import', '--no-progress', guest.image(target), image);
  const xml = await guest.domain.getXMLDesc([DomainXMLFlags.INACTIVE, DomainXMLFlags.SECURE]);
  const format = readDomain(xml).disks.find((disk) => disk.target === target)?.format ?? 'raw';
  const moved = redefineDisk(xml, target, { type: 'network', source: rbdSource(ceph, secret, image), format });
  await guest.connection.domainDefineXML(moved);
  return image;
}

/** Persistent and off: vda is raw in the cluster, vdb a qcow2 file. */
export async function cephGuest(connection: Connection, ceph: Ceph, secret: string) {
  const guest = await TestGuest.boot({ connection, start: false, disks: [{ format: 'raw' }, {}] });
  return { guest, image: await moveToCeph(guest, 'vda', ceph, secret) };
}

/** Starts a guest that is off, and waits until its agent answers. */
export async function start(guest: TestGuest): Promise<void> {
  await startAndWait({
    console: join(guest.directory, 'console.log'),
    agent: true,
    timeoutMs: 120_000,
    signal: undefined,
    startPaused: async () => {
      await guest.domain.createWithFlags(DomainCreateFlags.START_PAUSED);
      return guest.domain;
    },
  });
}

/** Cleanly, from the host's view: what the guest has synced is there. */
export async function stop(guest: TestGuest): Promise<void> {
  await guest.exec(['sh', '-c', 'sync; for m in /mnt/*; do mount -o remount,ro $m; done']);
  await guest.domain.destroy();
}
