// Members that ask a guest's agent, and its channels: on a real guest, and judged from inside of it.
import { extname } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import {
  type Connection,
  type Domain,
  DomainAuthorizedSSHKeysSetFlags,
  DomainGuestInfoTypes,
  DomainInterfaceAddressesSource,
  DomainSnapshotCreateFlags,
  DomainSnapshotDeleteFlags,
  DomainState,
  DomainVcpuFlags,
  ErrorNumber,
} from '../../lib/libvirt';
import { PrivateLibvirtd, TestGuest } from '../../lib/testing';
import { readDomain } from '../../lib/xml/domain';

jest.setTimeout(180_000);

let daemon: PrivateLibvirtd;
let conn: Connection;
let guest: TestGuest;
let domain: Domain;
beforeAll(async () => {
  daemon = await PrivateLibvirtd.start();
  conn = await daemon.connect();
  guest = await TestGuest.boot({ connection: conn, vcpus: 2, restorable: false });
  domain = guest.domain;
}, 180_000);
afterAll(async () => {
  await guest?.close();
  await conn?.close();
  await daemon?.close();
});
const inside = async (script: string) => (await guest.exec(['sh', '-c', script])).stdout.trim();

/** A tool that the small guest has not, as far as the agent needs it. */
const tool = (path: string, script: string) =>
  `mkdir -p ${path.slice(0, path.lastIndexOf('/'))}; printf '#!/bin/sh\\n${script}\\n' >${path}; chmod +x ${path}`;

test('what the guest says of itself, and only what was asked for', async () => {
  const all = await domain.getGuestInfo();
  expect(all['user.count']).toBe(0);
  expect(all['os.kernel-release']).toBe(await inside('uname -r'));
  expect(all['fs.count']).toBeGreaterThan(0);
  const some = await domain.getGuestInfo([DomainGuestInfoTypes.OS, DomainGuestInfoTypes.HOSTNAME]);
  expect(Object.keys(some).filter((name) => !/^(os\.|hostname$)/.test(name))).toEqual([]);
  expect(some.hostname).toBe(await inside('hostname'));
  expect(await domain.getHostname()).toBe(some.hostname);
  const interfaces = await domain.interfaceAddresses(DomainInterfaceAddressesSource.AGENT);
  expect(interfaces.map(({ name }) => name)).toContain('lo');
});

test('processors as the guest sees them: one is taken from it, and given back', async () => {
  const online = '/sys/devices/system/cpu/online';
  expect(await domain.getGuestVcpus()).toMatchObject({ vcpus: '0-1', online: '0-1' });
  await domain.setGuestVcpus('1', 0);
  expect(await inside(`cat ${online}`)).toBe('0');
  expect(await domain.getGuestVcpus()).toMatchObject({ online: '0' });
  expect(await domain.getVcpusFlags(DomainVcpuFlags.GUEST)).toBe(1);
  await domain.setVcpusFlags(2, DomainVcpuFlags.GUEST);
  expect(await inside(`cat ${online}`)).toBe('0-1');
});

test('a channel, as a stream both ways', async () => {
  await domain.attachDevice(
    "<channel type='unix'><source mode='bind'/><target type='virtio' name='org.example.words'/></channel>",
  );
  const port = await inside(
    'until p=$(grep -lx org.example.words /sys/class/virtio-ports/*/name 2>/dev/null); do sleep 0.1; done; basename $(dirname $p)',
  );
  const stream = await conn.streamNew();
  await domain.openChannel('org.example.words', stream);
  const words = stream.duplex();
  // It hears a line, and answers.
  const answering = inside(
    `[ -e /dev/${port} ] || mdev -s; exec 3<>/dev/${port}; read -r line <&3; echo "heard $line" >&3`,
  );
  words.write('hello\n');
  let said = '';
  for await (const chunk of words) {
    said += chunk;
    if (said.includes('heard hello')) break;
  }
  await answering;
  expect(said).toContain('heard hello');
});

test("libvirt's own quiesced snapshot: asked over a connection of its own, it belongs to this one", async () => {
  const { DISK_ONLY, QUIESCE, NO_METADATA } = DomainSnapshotCreateFlags;
  const take = (name: string, flags: readonly number[]) =>
    domain.snapshotCreateXML(`<domainsnapshot><name>${name}</name></domainsnapshot>`, flags);
  const known = await take('known', [DISK_ONLY, QUIESCE]);
  expect([known.getName(), known.connection, known.domain]).toEqual(['known', conn, domain]);
  expect(await known.getXMLDesc()).toContain('<state>disk-snapshot</state>');
  expect((await domain.listAllSnapshots()).map((one) => one.getName())).toEqual(['known']);
  const unknown = await take('unknown', [DISK_ONLY, QUIESCE, NO_METADATA]);
  expect([unknown.getName(), unknown.connection, unknown.domain]).toEqual(['unknown', conn, domain]);
  await expect(unknown.getXMLDesc()).rejects.toMatchObject({ code: ErrorNumber.NO_DOMAIN_SNAPSHOT });
  await known.delete(DomainSnapshotDeleteFlags.METADATA_ONLY);
  expect(await domain.listAllSnapshots()).toEqual([]);
  const [disk] = readDomain(await domain.getXMLDesc()).disks;
  const layers = [disk, ...(disk?.backingChain ?? [])].map((layer) => layer?.sourcePath ?? '');
  expect(layers.map((path) => extname(path))).toEqual(['.unknown', '.known', '.qcow2']);
});

test('file systems are trimmed, and the clock is set', async () => {
  await domain.fsTrim(null, 0);
  await inside(tool('/sbin/hwclock', ':')); // the agent sets the clock only where there is one
  await domain.setTime(1_700_000_000, 0);
  expect(Number(await inside('date +%s')) - 1_700_000_000).toBeLessThan(60);
  expect((await domain.getTime()).seconds).toBeGreaterThanOrEqual(1_700_000_000n);
});

test("a user's keys: added, read, removed; a password", async () => {
  await inside(
    'grep -q ^root: /etc/passwd 2>/dev/null || echo root:x:0:0:root:/root:/bin/sh >>/etc/passwd; mkdir -p /root; touch /etc/shadow /etc/group; grep -q ^root: /etc/shadow || echo "root:*:19000:0:99999:7:::" >>/etc/shadow; grep -q ^root: /etc/group || echo root:x:0: >>/etc/group',
  );
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl one@example';
  await domain.authorizedSSHKeysSet('root', [key]);
  expect(await inside('cat /root/.ssh/authorized_keys')).toBe(key);
  expect(await domain.authorizedSSHKeysGet('root')).toEqual([key]);
  await domain.authorizedSSHKeysSet('root', [`${key}-too`], DomainAuthorizedSSHKeysSetFlags.APPEND);
  await domain.authorizedSSHKeysSet('root', [key], DomainAuthorizedSSHKeysSetFlags.REMOVE);
  expect(await domain.authorizedSSHKeysGet('root')).toEqual([`${key}-too`]);
  await domain.authorizedSSHKeysSet('root', null);
  expect(await domain.authorizedSSHKeysGet('root')).toEqual([]);
  await inside(tool('/usr/sbin/chpasswd', 'cat >/tmp/passwords'));
  await domain.setUserPassword('root', 'a word');
  expect(await inside('cat /tmp/passwords')).toBe('root:a word');
});

// The last: after it the agent's port is dead.
test('it sleeps, and is woken', async () => {
  await using asleep = await domain.subscribe('pm-suspend');
  await using awake = await domain.subscribe('pm-wakeup');
  await guest.exec(['sh', '-c', '(sleep 0.2; echo mem >/sys/power/state) </dev/null >/dev/null 2>&1 &']);
  for await (const _ of asleep) break;
  expect((await domain.getState()).state).toBe(DomainState.PMSUSPENDED);
  await domain.pmWakeup();
  for await (const _ of awake) break;
  expect((await domain.getState()).state).toBe(DomainState.RUNNING);
});
