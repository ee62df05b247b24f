// A guest whose QEMU answers nothing: what libvirtd knows by itself it tells all the same, at once, and beside the calls that hang.
import { execFileSync } from 'node:child_process';
import { expect, jest, test } from '@jest/globals';
import type { Connection, Domain, DomainSnapshot } from '../../lib/libvirt';
import { DomainMetadataType } from '../../lib/libvirt';
import { native } from '../../lib/native';
import { qemuOf } from '../faults/running';
import { guestXml, host } from './bare-host';

jest.setTimeout(60_000);

const made = host();

interface Hung {
  conn: Connection;
  domain: Domain;
  snapshot: DomainSnapshot;
}

/** A call of each function that is marked as needing no guest. */
const PROMPT: Readonly<Record<string, (hung: Hung) => Promise<unknown>>> = {
  virConnectListAllDomains: ({ conn }) => conn.listAllDomains(),
  virDomainGetAutostart: ({ domain }) => domain.getAutostart(),
  virDomainGetInfo: ({ domain }) => domain.getInfo(),
  virDomainGetMetadata: ({ domain }) => domain.getMetadata(DomainMetadataType.ELEMENT, 'urn:test'),
  virDomainGetOSType: ({ domain }) => domain.getOSType(),
  virDomainGetState: ({ domain }) => domain.getState(),
  virDomainGetXMLDesc: ({ domain }) => domain.getXMLDesc(),
  virDomainIsActive: ({ domain }) => domain.isActive(),
  virDomainIsPersistent: ({ domain }) => domain.isPersistent(),
  virDomainIsUpdated: ({ domain }) => domain.isUpdated(),
  virDomainListAllSnapshots: ({ domain }) => domain.listAllSnapshots(),
  virDomainLookupByID: ({ conn, domain }) => conn.domainLookupByID(domain.getID() ?? 0),
  virDomainLookupByName: ({ conn, domain }) => conn.domainLookupByName(domain.getName()),
  virDomainLookupByUUID: ({ conn, domain }) => conn.domainLookupByUUID(domain.getUUID()),
  virDomainLookupByUUIDString: ({ conn, domain }) => conn.domainLookupByUUIDString(domain.getUUIDString()),
  virDomainSnapshotGetXMLDesc: ({ snapshot }) => snapshot.getXMLDesc(),
};

test.each([3, 12])('%d calls wait for its monitor; each that needs none is answered', async (calls) => {
  const { conn } = made;
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', made.at('disk'), '8M']);
  const disk = `<disk type='file'><driver name='qemu' type='qcow2'/><source file='${made.at('disk')}'/><target dev='vda'/></disk>`;
  const defined = await conn.domainDefineXML(guestXml('hung', disk));
  await defined.setMetadata(DomainMetadataType.ELEMENT, '<note/>', 'note', 'urn:test');
  const snapshot = await defined.snapshotCreateXML('<domainsnapshot><name>empty</name></domainsnapshot>');
  await defined.create();
  const domain = await conn.domainLookupByName('hung');
  const pid = await qemuOf('hung');
  process.kill(pid, 'SIGSTOP');
  const names = Object.keys(PROMPT);
  try {
    const waiting = Array.from({ length: calls }, () => domain.qemuMonitorCommand('{"execute":"query-status"}'));
    const settled = Promise.race(waiting.map((call) => call.then(() => 'a call that must wait')));
    for (const [name, call] of Object.entries(PROMPT)) {
      const asked = call({ conn, domain, snapshot }).then(() => name);
      expect(await Promise.race([asked, settled, deadline()])).toBe(name);
    }
    // Who listens must not wait to begin, nor to end.
    const listened = (async () => {
      await using events = await conn.subscribe('lifecycle');
      return events.dropped;
    })();
    expect(await Promise.race([listened, settled, deadline()])).toBe(0);
    process.kill(pid, 'SIGCONT');
    await Promise.all(waiting);
  } finally {
    process.kill(pid, 'SIGCONT');
    await domain.destroy();
    await snapshot.delete();
    await domain.undefine();
  }
  expect(native.functions.flatMap(({ name, isPrompt }) => (isPrompt ? [name] : [])).sort()).toEqual(names);
});

const deadline = () => new Promise((resolve) => setTimeout(resolve, 10_000, 'nothing').unref());
