// A daemon that has stopped: every member, called with a limit, settles by it, whatever its function would do; and what its answer
// brings late is thrown away.
import { closeSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type Connection, connect, type Domain, DomainCreateFlags } from '../../lib/libvirt';
import { parameters } from '../../lib/libvirt/generated/parameters';
import { memberName } from '../../lib/libvirt/member-name';
import { native } from '../../lib/native';
import { PrivateLibvirtd } from '../../lib/testing';
import { rejection } from '../driver/test-driver';
import { guestXml, host } from './bare-host';

jest.setTimeout(120_000);
const made = host();

const LIMIT_MS = 1500;
/** A busy machine, and all members at once. */
const LATE_MS = 15_000;

let daemon: PrivateLibvirtd;
let conn: Connection;
const handles: Record<string, object> = {};
beforeAll(async () => {
  daemon = await PrivateLibvirtd.start();
  conn = await connect(`test+unix:///default?socket=${daemon.socket}`, { keepAlive: false });
  const domain = await conn.domainLookupByName('test');
  const other = await conn.domainCreateXML(
    "<domain type='test'><name>other</name><memory>8192</memory><os><type>hvm</type></os><devices><disk type='file' device='disk'><source file='/x'/><target dev='vda' bus='virtio'/></disk></devices></domain>",
  );
  const pool = await conn.storagePoolLookupByName('default-pool');
  const volume = await pool.storageVolCreateXML(
    '<volume><name>v</name><capacity>1048576</capacity><allocation>0</allocation></volume>',
  );
  const network = await conn.networkLookupByName('default');
  Object.assign(handles, {
    Connection: conn,
    Domain: domain,
    DomainSnapshot: await domain.snapshotCreateXML('<domainsnapshot><name>s</name></domainsnapshot>'),
    DomainCheckpoint: await other.checkpointCreateXML('<domaincheckpoint><name>c</name></domaincheckpoint>'),
    StoragePool: pool,
    StorageVol: volume,
    Network: network,
    Stream: await conn.streamNew(),
    Interface: await conn.interfaceLookupByName('eth1'),
    NodeDevice: await conn.nodeDeviceLookupByName('computer'),
  });
});
afterAll(async () => {
  await conn?.close();
  await daemon?.close();
});

/** Kinds of handles that this driver has none of: their members are those of the same code. */
const NOT_HERE = ['NWFilter', 'NWFilterBinding', 'Secret', 'NetworkPort', 'Stream'];

type Member = (...args: unknown[]) => Promise<unknown>;

/** Arguments that are accepted: each is chosen by what the refusal of another says that it must be. */
async function settles(receiver: object, name: string, positions: number): Promise<string> {
  const args: unknown[] = Array(positions).fill(0);
  for (let tries = 0; tries < 3 * positions + 3; tries++) {
    const error = await rejection(
      (receiver as Record<string, Member>)[name]?.call(receiver, ...args, { timeoutMs: LIMIT_MS }).then(() => {
        throw new Error('answered');
      }) ?? Promise.reject(new Error('no such member')),
    );
    const { name: kind, message, code } = error as Error & { code?: unknown };
    if (typeof code !== 'string' || !code.startsWith('ERR_')) return kind === 'Error' ? message : kind;
    const at = refused(message);
    if (at === null) return message;
    args[at] = fitting(message);
  }
  return 'no arguments are accepted';
}

/** Which argument the message is about. */
function refused(message: string): number | null {
  const [, parameter = '', fn = ''] = /^The argument '(\w+)' of (\w+) must be/.exec(message) ?? [];
  const line = native.functions.find(({ name }) => name === fn);
  const position = parameters[fn]?.split(' ').indexOf(parameter) ?? -1;
  return line === undefined || position < 0 ? null : line.positions.indexOf(position);
}

function fitting(message: string): unknown {
  const expected = message.slice(message.indexOf(' must be ') + 9).replace(/^null or /, '');
  if (expected.startsWith('an array of strings')) return ['x'];
  if (expected.startsWith('an array of Domain')) return [handles.Domain];
  if (expected.startsWith('an array')) return [1];
  if (expected.startsWith('a Uint8Array of 16')) return new Uint8Array(16);
  if (expected.startsWith('a Uint8Array')) return new Uint8Array(8);
  if (expected.startsWith('a string')) return 'x';
  if (expected.startsWith('an object')) return {};
  if (expected.startsWith('an integer from 1') || expected.startsWith('a number')) return 1;
  const [, kind = ''] = /^an? (\w+)/.exec(expected) ?? [];
  return handles[kind] ?? null;
}

test('every member settles by its limit', async () => {
  const lines = native.functions.filter(({ isSync, receiver }) => !isSync && !NOT_HERE.includes(receiver));
  expect(lines.length).toBeGreaterThan(300);
  daemon.suspend();
  const start = performance.now();
  const endings = await Promise.all(
    lines.map(async ({ name, receiver, positions }) => {
      const member = memberName(name, receiver);
      const ending = await settles(handles[receiver] ?? {}, member, positions.length);
      return [`${receiver}.${member}`, ending] as const;
    }),
  );
  const ms = performance.now() - start;
  daemon.resume();
  const others = endings.filter(([, ending]) => ending !== 'TimeoutError');
  // Those that ask nobody, or whose object lives in this process; and what this libvirt does not have.
  const unusual = others.filter(([, ending]) => !/^(answered|LibvirtError)$/.test(ending));
  expect(unusual).toEqual([]);
  expect(endings.length - others.length).toBeGreaterThan(250);
  expect(ms).toBeLessThan(LATE_MS);
  // And the connection is what it was.
  expect((await (handles.Domain as Domain).getState()).state).toBeGreaterThan(0);
});

const descriptors = () => readdirSync('/proc/self/fd').length;

test('a file descriptor that comes after the deadline is closed', async () => {
  const display = `<graphics type='vnc' socket='${made.at('late.vnc')}'/>`;
  const domain = await made.conn.domainCreateXML(guestXml('late', display), DomainCreateFlags.START_PAUSED);
  await made.conn.getHostname(); // what is opened once has been opened
  const before = descriptors();
  made.daemon.suspend();
  const late = await rejection(domain.openGraphicsFD(0, { timeoutMs: 100 }));
  expect(late).toMatchObject({ name: 'TimeoutError' });
  made.daemon.resume();
  // Answered in turn: the one that was given up before this one.
  closeSync(await domain.openGraphicsFD(0));
  const limit = performance.now() + 10_000;
  while (descriptors() > before && performance.now() < limit) await delay(10); // it comes on a thread of its own
  expect(descriptors()).toBe(before);
  await domain.destroy();
});
