// Every bound function, as the addon's table lists them, with arguments and receivers that nobody should give: a TypeError, a
// RangeError or a LibvirtError; never a crash, never a hang. A failure names the seed and the path that repeat it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Connection, connect, LibvirtError } from '../../lib/libvirt';
import { classOf } from '../../lib/libvirt/handle';
import { memberName } from '../../lib/libvirt/member-name';
import { type NativeFunction, native } from '../../lib/native';
import { hostileValue, isTrap } from './hostile-values';
import { rejection } from './test-driver';

type Handles = Readonly<Record<string, object>>;
type Member = (this: object, ...args: unknown[]) => unknown;

const GUEST = "<domain type='test'><name>victim</name><memory>1024</memory><os><type>hvm</type></os></domain>";
// Connections to test:///default share one node; each connection to one from a file has it for itself.
const NODE = `<node>
  <network><name>default</name><bridge name='virbr0'/><forward/><ip address='192.168.122.1' netmask='255.255.255.0'/></network>
  <interface type='ethernet' name='eth1'><start mode='onboot'/><mac address='aa:bb:cc:dd:ee:ff'/><mtu size='1492'/></interface>
  <pool type='dir'><name>default-pool</name><target><path>/default-pool</path></target></pool>
  <device><name>computer</name><capability type='system'><hardware><vendor>v</vendor><serial>1</serial>
    <uuid>11111111-2222-3333-4444-555555555555</uuid></hardware><firmware><vendor>f</vendor><version>1</version>
    <release_date>01/01/2026</release_date></firmware></capability></device>
</node>`;
const RUNS = 20;

/** One of each kind that the test driver has. Of other kinds' functions the receiver is what they refuse. */
async function handlesOf(connection: Connection): Promise<Handles> {
  const domain = await connection.domainCreateXML(GUEST);
  const pool = await connection.storagePoolLookupByName('default-pool');
  return {
    Connection: connection,
    Domain: domain,
    DomainSnapshot: await domain.snapshotCreateXML('<domainsnapshot/>'),
    StoragePool: pool,
    StorageVol: await pool.storageVolCreateXML('<volume><name>v</name><capacity>1024</capacity></volume>'),
    Network: await connection.networkLookupByName('default'),
    Interface: await connection.interfaceLookupByName('eth1'),
    NodeDevice: await connection.nodeDeviceLookupByName('computer'),
    Stream: await connection.streamNew(),
  };
}

// Some functions write files, and a hostile string is a relative path.
const home = process.cwd();
const folder = mkdtempSync(join(tmpdir(), 'hostile-'));
const uri = `test://${join(folder, 'node.xml')}`;
let other: Connection;
let foreign: Handles;
let stale: Handles;
beforeAll(async () => {
  process.chdir(folder);
  writeFileSync('node.xml', NODE);
  const closed = await connect(uri);
  stale = await handlesOf(closed);
  await closed.close();
  other = await connect(uri);
  foreign = await handlesOf(other);
});
afterAll(async () => {
  await other.close();
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

const memberOf = ({ name, receiver }: NativeFunction): Member =>
  Reflect.get(classOf(receiver).prototype, memberName(name, receiver));

const isExpected = (error: unknown) =>
  error instanceof TypeError || error instanceof RangeError || error instanceof LibvirtError || isTrap(error);

const lines = native.functions.map((line, i) => [line.name, line, i] as const);

test.each(lines)('%s', async (_, line, seed) => {
  await using connection = await connect(uri);
  const own = await handlesOf(connection);
  const receiver = own[line.receiver];
  const member = memberOf(line);
  const values = hostileValue([own, foreign, stale].flatMap((handles) => Object.values(handles)));
  const receivers = receiver === undefined ? values : fc.oneof({ weight: 5, arbitrary: fc.constant(receiver) }, values);
  const args = fc.array(values, { minLength: line.positions.length, maxLength: line.positions.length + 1 });
  const attempt = async (self: unknown, given: unknown[]) => {
    try {
      await Reflect.apply(member, self, given);
    } catch (error) {
      if (!isExpected(error)) throw error;
    }
  };
  // No shrinking: what a call did to the guest cannot be undone, so that a shorter one is another one.
  await fc.assert(fc.asyncProperty(receivers, args, attempt), { seed, numRuns: RUNS, endOnFailure: true });
  expect(await connection.isAlive()).toBe(true);
});

test('a receiver of another kind is refused by every function, and none of a closed connection does anything', async () => {
  for (const line of native.functions) {
    const member = memberOf(line);
    const called = async (self: object) => Reflect.apply(member, self, []);
    for (const [kind, handle] of Object.entries(foreign))
      if (kind !== line.receiver)
        expect([line.name, kind, await rejection(called(handle))]).toEqual([line.name, kind, expect.any(TypeError)]);
    const gone = stale[line.receiver];
    if (gone && !line.isSync) expect([line.name, isExpected(await rejection(called(gone)))]).toEqual([line.name, true]);
  }
});
