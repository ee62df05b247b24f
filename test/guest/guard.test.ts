// Nobody is left frozen: a process that holds a freeze or a pause is killed, and its guest goes on without anybody's help.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Connection, quiesceStorage, snapshotDisks } from '../../lib';
import { installFaultHook } from '../../lib/disk-snapshot/fault-point';
import { PrivateLibvirtd, startWriter, TestGuest, type TickWriter } from '../../lib/testing';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { untilAborted } from '../until-aborted';
import { containedHolder, ended, guardsOf, holder, kill, ROOT } from './holder';

jest.setTimeout(180_000);

const tell = (when: string) => process.stdout.write(`  the guest writes again ${when}\n`);

describe('on a daemon', () => {
  let daemon: PrivateLibvirtd;
  let connection: Connection;
  let guest: TestGuest;
  let writer: TickWriter;
  beforeAll(async () => {
    daemon = await PrivateLibvirtd.start();
    connection = await daemon.connect();
    guest = await TestGuest.boot({ connection, restorable: false });
    writer = await startWriter(guest);
  });
  afterAll(async () => {
    // Its handles went with the daemon that was killed; the guest itself is destroyed, and its files go.
    await guest?.close().catch(() => undefined);
    await connection?.close();
    await daemon?.close();
  });

  /** How long after `from` the guest answers on its disk again. */
  async function writesAgain(from: number): Promise<number> {
    while (performance.now() - from < 20_000) {
      const status = await guest.domain
        .qemuAgentCommand('{"execute":"guest-fsfreeze-status"}', 5)
        .catch(() => '"not yet"');
      if (status.includes('thawed')) break;
      await delay(20);
    }
    const ms = performance.now() - from;
    tell(`${Math.round(ms)} ms after the kill`);
    const count = await writer.count();
    await guest.exec(['sleep', '0.1']);
    expect(await writer.count()).toBeGreaterThan(count);
    return ms;
  }

  test('killed while it holds a freeze: the guest writes again within 2 s', async () => {
    const child = await holder(daemon.uri, guest.name, 'freeze');
    const status = await guest.domain.qemuAgentCommand('{"execute":"guest-fsfreeze-status"}', 5);
    expect(JSON.parse(status)).toEqual({ return: 'frozen' });
    await kill(child);
    expect(await writesAgain(performance.now())).toBeLessThan(2000);
  });

  test('killed while it holds a pause: the guest runs again', async () => {
    const child = await holder(daemon.uri, guest.name, 'pause');
    expect((await guest.domain.getState()).state).toBe(3);
    await kill(child);
    expect(await writesAgain(performance.now())).toBeLessThan(2000);
    expect((await guest.domain.getState()).state).toBe(1);
  });

  test('killed while the agent hangs, which wakes 3 s later: thawed then', async () => {
    // Said before the freeze: a frozen agent runs no programs.
    const agent = '$(cat /run/qemu-ga.pid)';
    await guest.exec(['sh', '-c', `(sleep 3; kill -STOP ${agent}; sleep 3; kill -CONT ${agent}) >/dev/null 2>&1 &`]);
    const child = await holder(daemon.uri, guest.name, 'freeze');
    await delay(3_500);
    await kill(child);
    expect(await writesAgain(performance.now())).toBeLessThan(8_000);
  });

  /** How long the guest stays frozen once its daemon, which had been down for 5 s, is back. */
  async function thawedAfterReturn(killHolder: () => Promise<void>): Promise<number> {
    await daemon.kill();
    await killHolder();
    await delay(5000);
    await daemon.restart();
    const from = performance.now();
    await connection.close();
    connection = await daemon.connect();
    const domain = await connection.domainLookupByName(guest.name);
    while (performance.now() - from < 20_000) {
      const status = await domain.qemuAgentCommand('{"execute":"guest-fsfreeze-status"}', 5).catch(() => '');
      if (status.includes('thawed')) break;
      await delay(20);
    }
    const ms = performance.now() - from;
    tell(`${Math.round(ms)} ms after the daemon was back, which had been down for 5 s`);
    return ms;
  }

  test('killed while the daemon is down, which comes back later: thawed then', async () => {
    const child = await holder(daemon.uri, guest.name, 'freeze');
    expect(await thawedAfterReturn(() => kill(child))).toBeLessThan(2000);
  });

  test("the same in a container, which does not show the guest's QEMU", async () => {
    const contained = await containedHolder(daemon.uri, guest.name);
    try {
      expect(await thawedAfterReturn(() => contained.killHolder())).toBeLessThan(2000);
    } finally {
      contained.end();
    }
  });
});

describe('on the embedded driver', () => {
  test('killed while it holds a freeze: the guard opens the driver, and thaws', async () => {
    // Ours, so that the guest and its files outlive the process that boots it.
    const directory = await temporaryDirectory('guard');
    const uri = `qemu:///embed?root=${join(directory, 'root')}`;
    const argv = ['-e', EMBEDDED, directory, uri];
    const child = spawn(process.execPath, argv, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    const [guard = ''] = await guardsOf(child.pid);
    await kill(child);
    // The guard has the driver to itself until it is done. Libvirt grants a process one root: another process looks.
    await ended(guard);
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', LOOK, uri], { cwd: ROOT });
    await rm(directory, { recursive: true });
    expect(JSON.parse(stdout)).toEqual({ return: 'thawed' });
  });
});
const LOOK = `
  const { connect } = require('./dist');
  (async () => {
    const conn = await connect(process.argv[1]);
    const [domain] = await conn.listAllDomains();
    const look = () => domain.qemuAgentCommand('{"execute":"guest-fsfreeze-status"}', 5).catch(look);
    console.log(await look());
    await domain.destroy();
    await conn.close();
  })();
`;
const EMBEDDED = `
  const { mkdirSync, writeFileSync } = require('fs');
  const { connect, DomainCreateFlags, quiesceStorage } = require('./dist');
  const { createDisks } = require('./dist/testing/guest-disks');
  const { guestImage } = require('./dist/testing/guest-image');
  const { startAndWait } = require('./dist/testing/guest-ready');
  const { guestXml } = require('./dist/testing/guest-xml');
  const { qemuConf } = require('./dist/testing/qemu-conf');
  const [directory, uri] = process.argv.slice(1);
  (async () => {
    mkdirSync(directory + '/root/etc', { recursive: true });
    writeFileSync(directory + '/root/etc/qemu.conf', qemuConf());
    const conn = await connect(uri);
    const xml = guestXml({
      name: 'embedded', uuid: crypto.randomUUID(), accelerator: 'qemu', memoryMiB: 192, vcpus: 1,
      kernel: await guestImage(), disks: await createDisks([{}], directory, 'embedded'),
      console: directory + '/console.log', agentSocket: directory + '/agent',
    });
    const domain = await startAndWait({
      console: directory + '/console.log', agent: true, timeoutMs: 120_000, signal: undefined,
      startPaused: () => conn.domainCreateXML(xml, DomainCreateFlags.START_PAUSED),
    });
    await quiesceStorage(domain, { maxFreezeMs: 600_000 });
    setInterval(() => undefined, 1000);
    console.log('held');
  })();
`;

describe('in this process', () => {
  test('the guard dies while a freeze is held: its holder is told, and the guest goes on', async () => {
    await using guest = await TestGuest.boot({ restorable: false });
    const others = await guardsOf(process.pid);
    const frozen = await quiesceStorage(guest.domain, { maxFreezeMs: 60_000 });
    const [guard] = (await guardsOf(process.pid)).filter((pid) => !others.includes(pid));
    const told = untilAborted(frozen.signal);
    process.kill(Number(guard), 'SIGKILL');
    await told;
    expect(frozen.signal.reason).toMatchObject({ message: expect.stringContaining('the guard') });
    expect(await frozen.unquiesce()).toMatchObject({ intact: false });
    const status = await guest.domain.qemuAgentCommand('{"execute":"guest-fsfreeze-status"}', 5);
    expect(JSON.parse(status)).toEqual({ return: 'thawed' });
  });

  test('what is given up while it is being armed is not armed later', async () => {
    const guard = spawn(process.execPath, [join(ROOT, 'dist', 'disk-snapshot', 'guard', 'process.js')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const uuid = '6695eb01-f6a4-8304-79aa-97f2502e193f'; // of the only guest there
    const order = (id: number) => ({
      type: 'arm',
      id,
      connection: 1,
      uri: 'test:///default',
      uuid,
      what: 'pause',
      deadlineMs: 50,
    });
    for (const message of [order(1), { type: 'disarm', id: 1 }, order(2)])
      guard.stdin.write(`${JSON.stringify(message)}\n`);
    const said: { type: string; id: number }[] = [];
    for await (const line of createInterface({ input: guard.stdout })) {
      said.push(JSON.parse(line));
      if (said.at(-1)?.type === 'over') break;
    }
    guard.kill('SIGKILL');
    expect(said).toEqual([
      { type: 'armed', id: 2 },
      { type: 'over', id: 2 },
    ]);
  });

  test('one guard serves all freezes, ends none of them, is replaced when it dies, and is waited for', async () => {
    await using guest = await TestGuest.boot({ restorable: false });
    // Jest loads the package once for each file of tests, and so has a guard for each in this process.
    const others = await guardsOf(process.pid);
    const mine = async () => (await guardsOf(process.pid)).filter((pid) => !others.includes(pid));
    await snapshotDisks(guest.domain, { quiesce: 'required' });
    const [first, ...more] = await mine();
    expect(more).toEqual([]);
    expect(await readlink(`/proc/${first}/exe`)).toBe(await readlink('/proc/self/exe'));
    await (await quiesceStorage(guest.domain)).unquiesce();
    expect(await mine()).toEqual([first]);
    process.kill(Number(first), 'SIGKILL');
    while ((await mine()).length > 0) await delay(10);
    const frozen = await quiesceStorage(guest.domain);
    expect(await mine()).toHaveLength(1);
    expect(await frozen.unquiesce()).toMatchObject({ intact: true });

    // It watches before the freeze is sent: while it does not answer, none is.
    const [second] = await mine();
    const points: string[] = [];
    process.kill(Number(second), 'SIGSTOP');
    installFaultHook((point) => void points.push(point));
    const refused = quiesceStorage(guest.domain, { timeoutMs: 1000 });
    await expect(refused).rejects.toMatchObject({ name: 'TimeoutError' });
    installFaultHook(null);
    process.kill(Number(second), 'SIGCONT');
    expect(points).toEqual([]);
  });
});
