// Every command of disksnap for real, on one guest behind a daemon: what it prints, its JSON against its schema, and what
// others say of the guest.
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { verifyConsistency } from '../../lib/testing';
import { run } from '../../lib/testing/command';
import { parseXml } from '../../lib/xml/document';
import { CommandLine } from '../cli-guest';
import { MAIN } from '../cli-terminal';
import { Shell, sessionIn } from '../console-session';

jest.setTimeout(120_000);

let cli: CommandLine;
beforeAll(async () => {
  cli = await CommandLine.onGuest('web1');
}, 120_000);
afterAll(() => cli?.close());
afterEach(() => cli.expectNothingLeft());

describe('a snapshot, from plan to delete', () => {
  test('plan tells what create would do, and touches nothing', async () => {
    const before = await cli.everything();
    const plan = await cli.json('plan', 'web1', '--quiesce', '--name', 's1');
    expect(plan).toMatchObject({ exitCode: 0, ok: true, consistency: 'filesystem', willFreeze: true });
    expect(await cli.everything()).toEqual(before);
  });

  test('create makes it, on a terminal in colours', async () => {
    const { exitCode, screen } = await cli.terminal(['create', 'web1', '--quiesce', '--name', 's1']).end();
    expect(exitCode).toBe(0);
    expect(screen).toContain('\x1b[32mfilesystem\x1b[39m');
    const [a = ''] = await cli.sources();
    expect(a).toMatch(/\.s1$/);
    expect((await verifyConsistency(cli.guest.image('vda'))).clean).toBe(true);
  });

  test('list, show and tree name it; in a pipe there are no colours', async () => {
    const { stdout } = await cli.run('list');
    expect(stdout).toMatch(/^Guest +Name +Created +Disks +Consistency +State\nweb1 +s1 .* filesystem +present\n$/);
    expect((await cli.json('list', 'web1')).snapshots).toMatchObject([{ name: 's1', guest: 'web1' }]);
    expect(await cli.json('show', 'web1', 's1')).toMatchObject({ name: 's1', consistency: 'filesystem' });
    const [disk] = (await cli.json('tree', 'web1')).disks;
    expect(disk).toMatchObject({
      disk: 'vda',
      layers: [{ active: true }, { source: cli.guest.image('vda'), snapshots: ['s1'] }],
    });
  });

  test('tree draws: each picture names the images and the snapshot, and is well-formed', async () => {
    const draw = async (format: string) => {
      const { exitCode, stdout } = await cli.run('tree', 'web1', '--format', format);
      for (const part of [guest('vda'), guest('vdb'), 's1']) expect(stdout).toContain(part);
      expect({ format, exitCode }).toEqual({ format, exitCode: 0 });
      return stdout;
    };
    const guest = (disk: string) => basename(cli.guest.image(disk));
    expect(parseXml(await draw('svg'))).toMatchObject({ name: 'svg' });
    expect(await draw('html')).not.toMatch(/(src|href)="?(https?:)?\/\//);
    expect(await draw('mermaid')).toMatch(/^flowchart /);
    expect(JSON.parse(await draw('json'))).toEqual(JSON.parse((await cli.run('tree', 'web1', '--json')).stdout));
    expect(await draw('text')).not.toContain('\x1b');
  });

  test('plan and create draw the time line into a file; a name that says no format is refused first', async () => {
    const at = (name: string) => join(cli.folder, name);
    const drawn = (name: string) => readFile(at(name), 'utf8');
    await cli.json('plan', 'web1', '--quiesce', '--report', at('plan.svg'));
    expect(parseXml(await drawn('plan.svg'))).toMatchObject({ name: 'svg' });
    const create = (report: string) =>
      cli.json('create', 'web1', '--quiesce', '--disk', 'vda', '--name', 's2', '--report', at(report));
    expect(await create('report.pdf')).toMatchObject({ exitCode: 2, error: { code: 'USAGE' } });
    expect(await create('report.json')).toMatchObject({ exitCode: 0, name: 's2' });
    const phases = JSON.parse(await drawn('report.json')).steps.map(({ phase }: { phase: string }) => phase);
    expect(phases).toEqual(expect.arrayContaining(['prepare', 'quiesce', 'cut', 'thaw', 'verify']));
    await cli.json('delete', 'web1', 's2');
  });

  test('a domain is found by its UUID and its id too', async () => {
    const uuid = cli.guest.domain.getUUIDString();
    expect((await cli.json('list', uuid)).snapshots).toHaveLength(1);
    expect((await cli.json('list', String(cli.guest.domain.getID()))).snapshots).toHaveLength(1);
  });

  test('export writes what the guest saw: into a folder, a file, a pipe', async () => {
    const { files } = await cli.json('export', 'web1', 's1', cli.folder);
    expect(files).toHaveLength(2);
    for (const { disk, path } of files) await run('qemu-img', ['compare', '-U', path, cli.guest.image(disk)]);
    const raw = join(cli.folder, 'vda.raw');
    expect(await cli.json('export', 'web1', 's1', raw, '--disk', 'vda', '--format', 'raw')).toMatchObject({
      exitCode: 0,
    });
    const piped = join(cli.folder, 'piped.raw');
    const words = [process.execPath, MAIN, '-c', cli.daemon.uri, 'export', 'web1', 's1', '-', '--disk', 'vda'];
    await run('sh', ['-c', 'out=$1; shift; exec "$@" >"$out"', 'sh', piped, ...words]);
    await run('cmp', [raw, piped]);
  });

  test('doctor finds nothing, and recover has nothing to do', async () => {
    expect((await cli.json('doctor')).guests).toEqual([{ guest: 'web1', findings: [] }]);
    expect((await cli.json('recover', 'web1')).guests).toMatchObject([{ finished: [], undone: [] }]);
  });

  test('delete merges it back', async () => {
    const { exitCode, screen } = await cli.terminal(['delete', 'web1', 's1']).end();
    expect({ exitCode, screen }).toMatchObject({
      exitCode: 0,
      screen: expect.stringMatching(/Deleted s1 of web1: vda, vdb\r\n$/),
    });
    expect(await cli.sources()).toEqual([cli.guest.image('vda'), cli.guest.image('vdb')]);
    expect(await cli.json('show', 'web1', 's1')).toMatchObject({ exitCode: 4, error: { code: 'NOT_FOUND' } });
  });
});

test("virsh's way to name disks: one with a file of its own, one left out", async () => {
  const file = join(cli.guest.directory, 'mine.qcow2');
  const specs = ['--diskspec', `vda,snapshot=external,file=${file}`, '--diskspec', 'vdb,snapshot=no'];
  expect(await cli.json('create', 'web1', '--name', 'spec', '--disk-only', '--atomic', ...specs)).toMatchObject({
    exitCode: 0,
  });
  expect(await cli.sources()).toEqual([file, cli.guest.image('vdb')]);
  expect(await cli.json('delete', 'web1', 'spec')).toMatchObject({ exitCode: 0, disks: ['vda'] });
});

test('backup leaves files, and no snapshot; also where the export fails', async () => {
  const before = await cli.everything();
  const { files } = await cli.json('backup', 'web1', cli.folder, '--quiesce', '--name', 'night');
  expect(files.map(({ path }: { path: string }) => path)).toEqual(
    ['vda', 'vdb'].map((disk) => join(cli.folder, `web1-night-${disk}.qcow2`)),
  );
  for (const { path } of files) expect((await verifyConsistency(path)).clean).toBe(true);
  expect(await cli.json('backup', 'web1', cli.folder, '--name', 'night')).toMatchObject({
    exitCode: 1,
    error: { code: 'FILE_EXISTS' },
  });
  expect(await cli.everything()).toEqual({ ...before, exported: expect.anything() });
});

test('adopt takes over what virsh made', async () => {
  await cli.daemon.virsh(
    'snapshot-create-as',
    'web1',
    'old',
    '--disk-only',
    '--no-metadata',
    '--diskspec',
    'vdb,snapshot=no',
  );
  expect((await cli.json('adopt', 'web1')).snapshots).toMatchObject([{ name: 'old' }]);
  expect(await cli.json('delete', 'web1', 'old')).toMatchObject({ exitCode: 0 });
  expect(await cli.sources()).toEqual([cli.guest.image('vda'), cli.guest.image('vdb')]);
});

describe('quiesce', () => {
  const status = () => [
    'virsh',
    '-c',
    cli.daemon.uri,
    'qemu-agent-command',
    'web1',
    '{"execute":"guest-fsfreeze-status"}',
  ];

  test('runs a command while the guest is frozen', async () => {
    const { exitCode, stdout } = await cli.run('quiesce', 'web1', '--', ...status());
    expect({ exitCode, said: JSON.parse(stdout) }).toEqual({ exitCode: 0, said: { return: 'frozen' } });
  });

  test('passes its exit code through, and thaws', async () => {
    expect((await cli.run('quiesce', 'web1', '--', 'sh', '-c', 'exit 7')).exitCode).toBe(7);
    expect(await cli.freeze()).toBe('thawed');
    expect((await cli.run('quiesce', 'web1', '--', '/nowhere/such')).exitCode).toBe(127);
    expect((await cli.run('quiesce', 'web1', '--', cli.folder)).exitCode).toBe(126);
  });

  test('with --json the result alone is on stdout', async () => {
    const { filesystems } = await cli.json('quiesce', 'web1', '--disk', 'vda', '--', 'echo', 'x');
    expect(filesystems).toMatchObject([{ mountpoint: '/mnt/a', disks: ['vda'] }]);
  });

  test('a command that takes longer than the freeze is ended, and is no success', async () => {
    const { exitCode, stderr } = await cli.run(
      'quiesce',
      'web1',
      '--max-freeze',
      '0.5',
      '--',
      'tail',
      '-f',
      '/dev/null',
    );
    expect(exitCode).toBe(125);
    expect(stderr).toContain('was thawed before tail had ended');
  });
});

test('revert brings the disks back, and starts the guest again', async () => {
  await cli.guest.exec(['sh', '-c', 'echo before >/mnt/a/word; sync']);
  expect(await cli.json('create', 'web1', '--name', 'good', '--quiesce', '--disk', 'vda')).toMatchObject({
    exitCode: 0,
  });
  await cli.guest.exec(['sh', '-c', 'echo after >/mnt/a/word; sync']);
  expect(await cli.json('revert', 'web1', 'good')).toMatchObject({ exitCode: 1, error: { code: 'GUEST_ACTIVE' } });
  await cli.untilItRunsAgain(async () => {
    expect(await cli.json('revert', 'web1', 'good', '--force')).toMatchObject({ exitCode: 0, disks: ['vda'] });
  });
  expect((await cli.guest.exec(['cat', '/mnt/a/word'])).stdout).toBe('before\n');
  await cli.run('delete', 'web1', 'good');
});

test('the session in docs/cli.md is what happens', async () => {
  const { daemon, guest, folder } = cli;
  const program = join(folder, 'disksnap');
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`, { mode: 0o755 });
  const shell = new Shell({ ...process.env, PATH: `${folder}:${process.env.PATH}`, LIBVIRT_DEFAULT_URI: daemon.uri });
  const here = (text: string) => text.replaceAll('/images', guest.directory).replaceAll('/backup', folder);
  const there = (text: string) =>
    text.replaceAll(guest.directory, '/images').replaceAll(folder, '/backup').replaceAll(daemon.uri, 'qemu:///system');
  await cli.untilItRunsAgain(async () => {
    for (const { command, output } of sessionIn('docs/cli.md')) {
      const said = there(await shell.run(here(command)));
      expect({ command, said: withoutFigures(said) }).toEqual({ command, said: withoutFigures(output) });
    }
  });
});

/** Times and sizes differ, and columns with them; and the file system that images lie on. */
const withoutFigures = (text: string) =>
  text
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME')
    .replaceAll(/[\d.]+ (ms|[KM]iB)/g, '# $1')
    .replaceAll(/ of type file on \w+:/g, ' of type file on FS:')
    .replaceAll(/ {2,}/g, '  ');
