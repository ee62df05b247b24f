// Ctrl-C, pressed on a terminal while a command waits at one moment after the other: the guest is as it was, and the command
// says so. What cannot be taken back any more is finished or told.
import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { CommandLine } from '../cli-guest';
import { CTRL_C } from '../cli-terminal';

jest.setTimeout(120_000);

let cli: CommandLine;
let before: Awaited<ReturnType<CommandLine['everything']>>;
beforeAll(async () => {
  cli = await CommandLine.onGuest('web1');
}, 120_000);
afterAll(() => cli?.close());
afterEach(() => cli.expectNothingLeft());

/** What is said of a disk whose snapshot is deleted. */
const MERGED = 'merged and no longer part of it';
const LOST = 'lost to it, as the merge had begun';
const TAKEN_BACK = 'interrupted: what was begun has been taken back';

describe('on a guest without a snapshot', () => {
  beforeAll(async () => {
    before = await cli.everything();
  });

  test.each([
    ['create', 'claim.written'],
    ['create', 'freeze.held'],
    ['create', 'snapshot.layers-cut'],
    ['create', 'snapshot.written'],
    ['backup', 'snapshot.layers-cut'],
    ['backup', 'publish'],
  ])('%s, at %s: as it was', async (command, place) => {
    const folder = command === 'backup' ? [cli.folder] : [];
    const { exitCode, screen } = await cli.interrupted(
      [command, 'web1', ...folder, '--quiesce', '--name', 'gone'],
      place,
    );
    expect({ exitCode, screen }).toEqual({ exitCode: 130, screen: expect.stringContaining(TAKEN_BACK) });
    expect(await cli.everything()).toEqual(before);
  });

  test('backup, while its snapshot is deleted: it is too late, and all is done', async () => {
    const args = ['backup', 'web1', cli.folder, '--no-quiesce', '--name', 'night'];
    const { exitCode, screen } = await cli.interrupted(args, 'delete.job-started');
    expect({ exitCode, screen }).toEqual({ exitCode: 0, screen: expect.stringContaining('it was too late') });
    const exported = ['web1-night-vda.qcow2', 'web1-night-vdb.qcow2'];
    expect(await cli.everything()).toEqual({ ...before, exported });
  });

  test('quiesce, whose command is ended too', async () => {
    const shell = cli.terminal(['quiesce', 'web1', '--', 'sh', '-c', 'echo the guest stands; exec cat']);
    await shell.shows('the guest stands');
    expect(await cli.freeze()).toBe('frozen');
    shell.press(CTRL_C);
    expect(await shell.end()).toMatchObject({ exitCode: 130, screen: expect.stringContaining('web1 is thawed') });
    expect(await cli.everything()).toEqual(before);
  });

  test('a second one leaves at once and says what recovers; doctor mends what is left', async () => {
    const shell = cli.terminal(['create', 'web1', '--no-quiesce', '--name', 'half'], 'hang at snapshot.prepared');
    await shell.shows('stopped at');
    shell.press(CTRL_C);
    await shell.shows('once more leaves at once');
    shell.press(CTRL_C);
    const recovers = `disksnap --connect ${cli.daemon.uri} recover web1`;
    expect(await shell.end()).toMatchObject({ exitCode: 130, screen: expect.stringContaining(recovers) });
    const { guests } = await cli.json('doctor', 'web1', '--fix');
    expect(guests[0].findings).toMatchObject([{ fixed: true }, { fixed: true }]);
    expect(await cli.everything()).toEqual(before);
  });
});

describe('on a guest with a snapshot', () => {
  beforeAll(async () => {
    await cli.run('create', 'web1', '--name', 'kept', '--no-quiesce');
    before = await cli.everything();
  });

  test.each([
    ['export', 'publish', [], TAKEN_BACK],
    ['revert', 'revert.layer-made', ['--force'], TAKEN_BACK],
    ['delete', 'claim.written', [], 'interrupted: kept is still there'],
    ['delete', 'delete.noted', [], 'interrupted: kept is still there'],
  ])('%s, at %s: guest and snapshot as they were', async (command, place, options, says) => {
    const folder = command === 'export' ? [cli.folder] : [];
    const { exitCode, screen } = await cli.interrupted([command, 'web1', 'kept', ...folder, ...options], place);
    expect({ exitCode, screen }).toEqual({ exitCode: 130, screen: expect.stringContaining(says) });
    expect(await cli.everything()).toEqual(before);
    expect((await cli.json('show', 'web1', 'kept')).disks).toMatchObject([{ state: 'present' }, { state: 'present' }]);
  });

  test.each(['delete.job-started', 'delete.job-ready'])(
    'delete, at %s: the guest as it was, on the images it had; the snapshot, whose image was written to, is told lost',
    async (place) => {
      await cli.run('create', 'web1', '--name', 'merging', '--no-quiesce', '--disk', 'vda');
      // So much that a merge at 1 MiB/s is not over before the key is pressed.
      await cli.guest.exec(['sh', '-c', 'dd if=/dev/urandom of=/mnt/a/much bs=1M count=2; sync']);
      const merging = await cli.everything();
      const content = await written();
      const { exitCode, screen } = await cli.interrupted(['delete', 'web1', 'merging', '--bandwidth', '1'], place);
      expect(screen).toMatch(
        /web1 goes on as before, but of merging vda: lost to it.*\. Delete it again to finish\r\n$/,
      );
      expect(exitCode).toBe(130);
      expect(withoutRecords(await cli.everything())).toEqual(withoutRecords(merging));
      expect((await cli.daemon.virsh('blockjob', 'web1', 'vda')).stdout).toContain('No current block job');
      expect(await written()).toBe(content);
      expect(await cli.json('delete', 'web1', 'merging')).toMatchObject({ exitCode: 0 });
      expect(await written()).toBe(content);
      expect(withoutRecords(await cli.everything())).toEqual(withoutRecords(before));
    },
  );

  test.each([
    [
      'in the merge of the first disk',
      'delete.job-started',
      'a',
      { vda: 'missing', vdb: 'present' },
      `vda: ${LOST}; vdb: still there`,
    ],
    ['between the two merges', 'delete.recorded', 'a', { vdb: 'present' }, `vda: ${MERGED}; vdb: still there`],
    ['in the merge of the second', 'delete.job-started 2', 'b', { vdb: 'missing' }, `vda: ${MERGED}; vdb: ${LOST}`],
  ])(
    'delete of two disks, %s: what is merged stays so, show names what is left, once more finishes it',
    async (...row) => {
      const [, place, folder, left, says] = row;
      await cli.run('create', 'web1', '--name', 'both', '--no-quiesce');
      // So much that a merge at 1 MiB/s is not over before the key is pressed.
      await cli.guest.exec(['sh', '-c', `dd if=/dev/urandom of=/mnt/${folder}/much bs=1M count=2; sync`]);
      const [a, b] = (await cli.sources()) as [string, string];
      const content = await written(folder);
      const { exitCode, screen } = await cli.interrupted(['delete', 'web1', 'both', '--bandwidth', '1'], place);
      const told = `web1 goes on as before, but of both ${says}. Delete it again to finish`;
      expect({ exitCode, screen }).toEqual({ exitCode: 130, screen: expect.stringContaining(told) });

      const { disks } = await cli.json('show', 'web1', 'both');
      expect(Object.fromEntries(disks.map((one: { disk: string; state: string }) => [one.disk, one.state]))).toEqual(
        left,
      );
      expect((await cli.sources()).map((source) => [a, b].includes(source))).toEqual(['vda' in left, true]);
      expect(existsSync(a)).toBe('vda' in left);
      for (const disk of ['vda', 'vdb'])
        expect((await cli.daemon.virsh('blockjob', 'web1', disk)).stdout).toContain('No current block job');

      expect(await cli.json('delete', 'web1', 'both')).toMatchObject({ exitCode: 0, disks: Object.keys(left) });
      expect(await cli.json('show', 'web1', 'both')).toMatchObject({ exitCode: 4 });
      expect(await written(folder)).toBe(content);
      expect(withoutRecords(await cli.everything())).toEqual(withoutRecords(before));
    },
  );

  test('revert, when the guest was stopped already: it runs again, on the disks that it had', async () => {
    const sources = await cli.sources();
    await cli.untilItRunsAgain(async () => {
      const { exitCode, screen } = await cli.interrupted(['revert', 'web1', 'kept', '--force'], 'revert.guest-off');
      expect({ exitCode, screen }).toEqual({ exitCode: 130, screen: expect.stringContaining(TAKEN_BACK) });
    });
    // A start gives its live XML anew.
    expect(await cli.everything()).toEqual({ ...before, live: expect.anything() });
    expect(await cli.sources()).toEqual(sources);
  });

  test('delete, when its end was asked for already: it is finished, and says so', async () => {
    const { exitCode, screen } = await cli.interrupted(
      ['delete', 'web1', 'kept', '--disk', 'vdb'],
      'delete.pivot-sent',
    );
    expect({ exitCode, screen }).toEqual({ exitCode: 0, screen: expect.stringContaining('it was too late') });
    expect((await cli.json('show', 'web1', 'kept')).disks).toMatchObject([{ disk: 'vda', state: 'present' }]);
  });
});

/** What the guest reads from its disk, not from its memory. */
async function written(folder = 'a'): Promise<string> {
  const read = `echo 3 >/proc/sys/vm/drop_caches; md5sum /mnt/${folder}/much`;
  const { stdout } = await cli.guest.exec(['sh', '-c', read]);
  return stdout;
}

const withoutRecords = ({ live, defined, ...rest }: typeof before) =>
  [live, defined].map((xml) => xml.replace(/<ds:set.*<\/ds:set>/gs, '')).concat(JSON.stringify(rest));
