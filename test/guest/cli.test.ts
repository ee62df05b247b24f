// Every command of disksnap for real, on one guest behind a daemon: what it prints, its JSON against its schema, and what
// others say of the guest. Ctrl-C is a key pressed on a terminal, at a place where the command waits for it.
import { readdirSync, readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import Ajv from 'ajv/dist/2020';
import { ConnectDomainEventAgentLifecycleState, type Connection } from '../../lib/libvirt';
import { PrivateLibvirtd, TestGuest, verifyConsistency } from '../../lib/testing';
import { run } from '../../lib/testing/command';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { CTRL_C, disksnap, Terminal } from '../cli-terminal';

jest.setTimeout(120_000);

let daemon: PrivateLibvirtd;
let connection: Connection;
let guest: TestGuest;
let folder: string;

beforeAll(async () => {
  daemon = await PrivateLibvirtd.start();
  connection = await daemon.connect();
  guest = await TestGuest.boot({ connection, name: 'web1', disks: 2, persistent: true, restorable: false });
  folder = await temporaryDirectory('cli');
}, 120_000);
afterAll(async () => {
  await guest?.close();
  await connection?.close();
  await daemon?.close();
  if (folder) await rm(folder, { recursive: true });
});
afterEach(async () => {
  expect(await agentSays('guest-fsfreeze-status')).toBe('thawed');
  for (const file of await readdir(folder)) await rm(join(folder, file));
});

const cli = (...args: string[]) => disksnap(daemon.uri, ...args);
const terminal = (args: string[], stopAt?: string) => new Terminal(daemon.uri, args, stopAt ? { stopAt } : {});

const SCHEMAS = join(__dirname, '..', '..', 'schemas');
const ajv = new Ajv({ formats: { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ } });
for (const file of readdirSync(SCHEMAS)) ajv.addSchema(JSON.parse(readFileSync(join(SCHEMAS, file), 'utf8')), file);

/** The document that a command prints, which keeps to its schema. */
async function json(command: string, ...args: string[]) {
  const { exitCode, stdout, stderr } = await cli('--json', command, ...args);
  const document = JSON.parse(exitCode === 0 || exitCode === 3 ? stdout : stderr);
  if (!ajv.validate(`${exitCode === 0 || exitCode === 3 ? command : 'error'}.json`, document))
    throw new Error(ajv.errorsText());
  return { exitCode, ...document };
}

async function agentSays(command: string): Promise<unknown> {
  const { stdout } = await daemon.virsh('qemu-agent-command', 'web1', JSON.stringify({ execute: command }));
  return JSON.parse(stdout).return;
}
/** The images that the guest writes to, as virsh tells. */
async function sources(): Promise<string[]> {
  const { stdout } = await daemon.virsh('domblklist', 'web1');
  return [...stdout.matchAll(/^\s*vd\w\s+(\S+)/gm)].map(([, path]) => path ?? '');
}
/** All that must be as before: the live XML, the definition, the files, the freeze. */
async function everything() {
  const { stdout: live } = await daemon.virsh('dumpxml', 'web1');
  const { stdout: defined } = await daemon.virsh('dumpxml', '--inactive', 'web1');
  // Numbers that libvirt gives its nodes, and the folder of records that are gone.
  const plain = (xml: string) => xml.replaceAll(/ index='\d+'|^\s*<(backingStore|metadata)\/>\n/gm, '');
  const files = (await readdir(guest.directory)).sort();
  return {
    live: plain(live),
    defined: plain(defined),
    files,
    exported: await readdir(folder),
    state: await agentSays('guest-fsfreeze-status'),
  };
}

describe('a snapshot, from plan to delete', () => {
  test('plan tells what create would do, and touches nothing', async () => {
    const before = await everything();
    const plan = await json('plan', 'web1', '--quiesce', '--name', 's1');
    expect(plan).toMatchObject({ exitCode: 0, ok: true, consistency: 'filesystem', willFreeze: true });
    expect(await everything()).toEqual(before);
  });

  test('create makes it, on a terminal in colours', async () => {
    const { exitCode, screen } = await terminal(['create', 'web1', '--quiesce', '--name', 's1']).end();
    expect(exitCode).toBe(0);
    expect(screen).toContain('\x1b[32mfilesystem\x1b[39m');
    const [a = ''] = await sources();
    expect(a).toMatch(/\.s1$/);
    expect((await verifyConsistency(guest.image('vda'))).clean).toBe(true);
  });

  test('list, show and tree name it; in a pipe there are no colours', async () => {
    const { stdout } = await cli('list');
    expect(stdout).toMatch(/^Guest +Name +Created +Disks +Consistency +State\nweb1 +s1 .* filesystem +present\n$/);
    expect((await json('list', 'web1')).snapshots).toMatchObject([{ name: 's1', guest: 'web1' }]);
    expect(await json('show', 'web1', 's1')).toMatchObject({ name: 's1', consistency: 'filesystem' });
    const [disk] = (await json('tree', 'web1')).disks;
    expect(disk).toMatchObject({
      disk: 'vda',
      layers: [{ active: true }, { source: guest.image('vda'), snapshots: ['s1'] }],
    });
  });

  test('a domain is found by its UUID and its id too', async () => {
    const uuid = guest.domain.getUUIDString();
    expect((await json('list', uuid)).snapshots).toHaveLength(1);
    expect((await json('list', String(guest.domain.getID()))).snapshots).toHaveLength(1);
  });

  test('export writes what the guest saw: into a folder, a file, a pipe', async () => {
    const { files } = await json('export', 'web1', 's1', folder);
    expect(files).toHaveLength(2);
    for (const { disk, path } of files) await run('qemu-img', ['compare', '-U', path, guest.image(disk)]);
    const raw = join(folder, 'vda.raw');
    expect(await json('export', 'web1', 's1', raw, '--disk', 'vda', '--format', 'raw')).toMatchObject({ exitCode: 0 });
    const piped = join(folder, 'piped.raw');
    const main = join(__dirname, '..', '..', 'dist', 'cli', 'main.js');
    const words = [process.execPath, main, '-c', daemon.uri, 'export', 'web1', 's1', '-', '--disk', 'vda'];
    await run('sh', ['-c', 'out=$1; shift; exec "$@" >"$out"', 'sh', piped, ...words]);
    await run('cmp', [raw, piped]);
  });

  test('doctor finds nothing, and recover has nothing to do', async () => {
    expect((await json('doctor')).guests).toEqual([{ guest: 'web1', findings: [] }]);
    expect((await json('recover', 'web1')).guests).toMatchObject([{ finished: [], undone: [] }]);
  });

  test('delete merges it back', async () => {
    const { exitCode, screen } = await terminal(['delete', 'web1', 's1']).end();
    expect({ exitCode, screen }).toMatchObject({
      exitCode: 0,
      screen: expect.stringMatching(/Deleted s1 of web1: vda, vdb\r\n$/),
    });
    expect(await sources()).toEqual([guest.image('vda'), guest.image('vdb')]);
    expect(await json('show', 'web1', 's1')).toMatchObject({ exitCode: 4, error: { code: 'NOT_FOUND' } });
  });
});

test("virsh's way to name disks: one with a file of its own, one left out", async () => {
  const file = join(guest.directory, 'mine.qcow2');
  const specs = ['--diskspec', `vda,snapshot=external,file=${file}`, '--diskspec', 'vdb,snapshot=no'];
  expect(await json('create', 'web1', '--name', 'spec', '--disk-only', '--atomic', ...specs)).toMatchObject({
    exitCode: 0,
  });
  expect(await sources()).toEqual([file, guest.image('vdb')]);
  expect(await json('delete', 'web1', 'spec')).toMatchObject({ exitCode: 0, disks: ['vda'] });
});

test('backup leaves files, and no snapshot; also where the export fails', async () => {
  const before = await everything();
  const { files } = await json('backup', 'web1', folder, '--quiesce', '--name', 'night');
  expect(files.map(({ path }: { path: string }) => path)).toEqual(
    ['vda', 'vdb'].map((disk) => join(folder, `web1-night-${disk}.qcow2`)),
  );
  for (const { path } of files) expect((await verifyConsistency(path)).clean).toBe(true);
  expect(await json('backup', 'web1', folder, '--name', 'night')).toMatchObject({
    exitCode: 1,
    error: { code: 'FILE_EXISTS' },
  });
  expect(await everything()).toEqual({ ...before, exported: expect.anything() });
});

test('adopt takes over what virsh made', async () => {
  await daemon.virsh(
    'snapshot-create-as',
    'web1',
    'old',
    '--disk-only',
    '--no-metadata',
    '--diskspec',
    'vdb,snapshot=no',
  );
  expect((await json('adopt', 'web1')).snapshots).toMatchObject([{ name: 'old' }]);
  expect(await json('delete', 'web1', 'old')).toMatchObject({ exitCode: 0 });
  expect(await sources()).toEqual([guest.image('vda'), guest.image('vdb')]);
});

describe('quiesce', () => {
  const status = () => ['virsh', '-c', daemon.uri, 'qemu-agent-command', 'web1', '{"execute":"guest-fsfreeze-status"}'];

  test('runs a command while the guest is frozen', async () => {
    const { exitCode, stdout } = await cli('quiesce', 'web1', '--', ...status());
    expect({ exitCode, said: JSON.parse(stdout) }).toEqual({ exitCode: 0, said: { return: 'frozen' } });
  });

  test('passes its exit code through, and thaws', async () => {
    expect((await cli('quiesce', 'web1', '--', 'sh', '-c', 'exit 7')).exitCode).toBe(7);
    expect(await agentSays('guest-fsfreeze-status')).toBe('thawed');
    expect((await cli('quiesce', 'web1', '--', '/nowhere/such')).exitCode).toBe(127);
    expect((await cli('quiesce', 'web1', '--', folder)).exitCode).toBe(126);
  });

  test('with --json the result alone is on stdout', async () => {
    const { filesystems } = await json('quiesce', 'web1', '--disk', 'vda', '--', 'echo', 'x');
    expect(filesystems).toMatchObject([{ mountpoint: '/mnt/a', disks: ['vda'] }]);
  });

  test('a command that takes longer than the freeze is ended, and is no success', async () => {
    const { exitCode, stderr } = await cli('quiesce', 'web1', '--max-freeze', '0.5', '--', 'tail', '-f', '/dev/null');
    expect(exitCode).toBe(125);
    expect(stderr).toContain('was thawed before tail had ended');
  });
});

describe('Ctrl-C leaves the guest as it was', () => {
  test.each([
    ['create', 'freeze.held'],
    ['create', 'snapshot.layers-cut'],
    ['backup', 'snapshot.prepared'],
    ['backup', 'link'],
  ])('%s, at %s', async (command, place) => {
    const before = await everything();
    const args = [command, 'web1', ...(command === 'backup' ? [folder] : []), '--quiesce', '--name', 'gone'];
    const { exitCode, screen } = await interrupted(args, place);
    expect(screen).toContain('interrupted: what was begun has been taken back');
    expect(exitCode).toBe(130);
    expect(await everything()).toEqual(before);
  });

  test('quiesce, whose command is ended too', async () => {
    const before = await everything();
    const shell = terminal(['quiesce', 'web1', '--', 'sh', '-c', 'echo the guest stands; exec cat']);
    await shell.shows('the guest stands');
    expect(await agentSays('guest-fsfreeze-status')).toBe('frozen');
    shell.press(CTRL_C);
    expect(await shell.end()).toMatchObject({ exitCode: 130, screen: expect.stringContaining('web1 is thawed') });
    expect(await everything()).toEqual(before);
  });

  describe('with a snapshot', () => {
    beforeAll(async () => {
      await cli('create', 'web1', '--name', 'kept', '--no-quiesce');
    });
    afterAll(() => cli('delete', 'web1', 'kept'));

    test.each([
      ['revert', 'revert.layer-made', ['--force'], 'what was begun has been taken back'],
      ['export', 'link', [], 'what was begun has been taken back'],
    ])('%s, at %s', async (command, place, more, says) => {
      const before = await everything();
      const args = [command, 'web1', 'kept', ...(command === 'export' ? [folder] : []), ...more];
      const { exitCode, screen } = await interrupted(args, place);
      expect(screen).toContain(says);
      expect(exitCode).toBe(130);
      expect(await everything()).toEqual(before);
      expect((await json('show', 'web1', 'kept')).disks).toMatchObject([{ state: 'present' }, { state: 'present' }]);
    });
  });

  test('delete: the guest goes on as it was; a merge that was begun is told, since the snapshot is none any more', async () => {
    await cli('create', 'web1', '--name', 'merging', '--no-quiesce', '--disk', 'vda');
    // So much that a merge at 1 MiB/s is not over before the key is pressed.
    await guest.exec(['sh', '-c', 'dd if=/dev/urandom of=/mnt/a/much bs=1M count=12; sync']);
    const before = await everything();
    const { exitCode, screen } = await interrupted(
      ['delete', 'web1', 'merging', '--bandwidth', '1'],
      'delete.job-started',
    );
    expect(screen).toMatch(/of merging no disk can still be gone back to.*; delete it again to finish them\r\n$/);
    expect(exitCode).toBe(130);
    const records = /<ds:set.*<\/ds:set>/g;
    const after = await everything();
    expect(after.live.replace(records, '')).toBe(before.live.replace(records, ''));
    expect(after).toMatchObject({ files: before.files, state: 'thawed' });
    expect((await daemon.virsh('blockjob', 'web1', 'vda')).stdout).toContain('No current block job');
    expect(await json('delete', 'web1', 'merging')).toMatchObject({ exitCode: 0 });
  });

  async function interrupted(args: string[], place: string) {
    const shell = terminal(args, place);
    await shell.shows(`stopped at ${place}`);
    shell.press(CTRL_C);
    return shell.end();
  }
});

test('a second Ctrl-C leaves at once and says what recovers; recover takes back what is left', async () => {
  const before = await everything();
  const shell = terminal(['create', 'web1', '--no-quiesce', '--name', 'half'], 'hang at snapshot.prepared');
  await shell.shows('stopped at');
  shell.press(CTRL_C);
  await shell.shows('once more leaves at once');
  shell.press(CTRL_C);
  const recovers = `disksnap --connect ${daemon.uri} recover web1`;
  expect(await shell.end()).toMatchObject({ exitCode: 130, screen: expect.stringContaining(recovers) });
  expect((await json('doctor', 'web1', '--fix')).guests[0].findings).toMatchObject([{ fixed: true }, { fixed: true }]);
  expect(await everything()).toEqual(before);
});

test('revert brings the disks back, and starts the guest again', async () => {
  await guest.exec(['sh', '-c', 'echo before >/mnt/a/word; sync']);
  expect(await json('create', 'web1', '--name', 'good', '--quiesce', '--disk', 'vda')).toMatchObject({ exitCode: 0 });
  await guest.exec(['sh', '-c', 'echo after >/mnt/a/word; sync']);
  expect(await json('revert', 'web1', 'good')).toMatchObject({ exitCode: 1, error: { code: 'GUEST_ACTIVE' } });
  await using changes = await connection.subscribe('agent-lifecycle', { domain: guest.domain });
  expect(await json('revert', 'web1', 'good', '--force')).toMatchObject({ exitCode: 0, disks: ['vda'] });
  for await (const { state } of changes) if (state === ConnectDomainEventAgentLifecycleState.CONNECTED) break;
  expect((await guest.exec(['cat', '/mnt/a/word'])).stdout).toBe('before\n');
});
