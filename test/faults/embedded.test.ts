// One more cell: the embedded driver, which is in our own process, dies with it between QEMU's transaction and its own note.
import { execFile } from 'node:child_process';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, jest, test } from '@jest/globals';
import { verifyConsistency } from '../../lib/testing';
import { run } from '../../lib/testing/command';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { RunningOperation } from './running';

jest.setTimeout(120_000);

test('the embedded driver is killed after the cut: thawed by the guard, undone by recovery', async () => {
  const directory = await temporaryDirectory('embedded');
  const running = RunningOperation.of('embedded.js', directory, 'die');
  try {
    await running.runTo('snapshot.layers-cut');
    // Gone before the guard opens the driver: one that cannot write its notes ends the guest.
    for (const folder of ['run', 'etc']) await rmdir(join(directory, 'root', folder, 'qemu', 'embedded.xml.new'));
  } finally {
    await running.kill();
  }
  while ((await running.guardsLeft()).length > 0) await delay(20); // one process at a time may open a root
  const files = (await readdir(directory)).filter((name) => name.endsWith('.qcow2'));
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(__dirname, 'embedded.js'),
    directory,
    'recover',
  ]);
  const base = join(directory, 'embedded-vda.qcow2');
  expect(JSON.parse(stdout)).toEqual({
    thawed: 'thawed',
    ahead: [base, expect.not.stringMatching(base)],
    recovery: { finished: [], undone: ['cell'], thawed: false, resumed: false },
    now: [base, base],
    stdout: 'before: OK\n',
    left: 0,
  });
  expect(files).toContain('embedded-vda.qcow2');
  await run('qemu-img', ['check', '-q', base]);
  expect(await verifyConsistency(base)).toMatchObject({ sound: true });
  await rm(directory, { recursive: true });
});
