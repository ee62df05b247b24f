// Hosts, on libvirt's test driver: followed by events alone, lost and found again, and none in the way of another.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, jest, test } from '@jest/globals';
import { connect } from 'libvirt-disksnapshot';
import { Board } from '../src/board.ts';
import { backOffMs, HostDown, Supervisor } from '../src/supervisor.ts';
import { until } from './until.ts';

jest.setTimeout(60_000); // for a busy machine

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function supervise(board: Board, name: string, uri: string): Supervisor {
  const stop = new AbortController();
  const supervisor = new Supervisor({ name, uri, nightly: [] }, board);
  const end = supervisor.run(stop.signal);
  stops.push(() => {
    stop.abort();
    return end;
  });
  return supervisor;
}
const stateOf = (board: Board, host: string) => () => board.hosts.get(host)?.state;

test('what others do to guests is seen', async () => {
  const board = new Board();
  supervise(board, 'a', 'test:///default');
  await until(board, stateOf(board, 'a'), 'up');
  const guest = (name: string) => () => board.guests.values().find((each) => each.name === name)?.state;
  expect(guest('test')()).toBe('running');

  await using other = await connect('test:///default');
  const domain = await other.domainLookupByName('test');
  await domain.suspend();
  await until(board, guest('test'), 'paused');
  await domain.resume();
  await until(board, guest('test'), 'running');

  const xml = "<domain type='test'><name>&lt;b&gt;new</name><memory>1024</memory><os><type>hvm</type></os></domain>";
  const made = await other.domainDefineXML(xml);
  await until(board, guest('<b>new'), 'shutoff');
  await made.undefine();
  await until(board, guest('<b>new'), undefined);
});

test('a host that is down says so, is tried again, and is there when it is back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'manager-'));
  stops.push(() => rm(folder, { recursive: true }));
  const file = join(folder, 'host.xml');
  await writeFile(file, '<nothing/>');
  const board = new Board();
  const supervisor = supervise(board, 'a', `test://${file}`);
  await until(board, stateOf(board, 'a'), 'down');
  expect(board.hosts.get('a')).toMatchObject({
    problem: expect.stringContaining('root element'),
    retryAt: expect.any(String),
  });
  await expect(supervisor.domain('any')).rejects.toThrow(HostDown);
  await writeFile(file, '<node/>');
  await until(board, stateOf(board, 'a'), 'up');
  expect(board.hosts.get('a')).toMatchObject({ problem: null, retryAt: null });
});

test('a host that never answers delays neither another nor the end', async () => {
  const callers: Socket[] = [];
  const silent = createServer((caller) => callers.push(caller)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  stops.push(async () => {
    for (const caller of callers) caller.destroy();
    silent.close();
  });
  const { port } = silent.address() as AddressInfo;
  const board = new Board();
  supervise(board, 'silent', `qemu+tcp://127.0.0.1:${port}/system`);
  supervise(board, 'a', 'test:///default');
  await until(board, stateOf(board, 'a'), 'up');
  expect(stateOf(board, 'silent')()).toBe('connecting');
});

test('attempts become rarer, but never rarer than a minute, and no two hosts keep step', () => {
  expect([0, 1, 2, 3, 20].map((failures) => backOffMs(failures, () => 0))).toEqual([500, 1000, 2000, 4000, 60_000]);
  expect(backOffMs(20, () => 1)).toBe(45_000);
});
