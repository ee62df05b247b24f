// All code samples are run as they stand, each in a process of its own, on a guest named web1 of a real daemon; only names are put
// in. Those that boot guests of their own are in the file beside.
import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Connection, listDiskSnapshots } from '../../lib';
import { PrivateLibvirtd, TestGuest } from '../../lib/testing';
import { CIRCUMSTANCES, circumstanceOf, namesIn, samplesOf, type World } from './circumstances';
import { Project, shownBy } from './project';
import { bootsGuests, countExamples, docstrings, type Sample, samples } from './samples';

let project: Project;
let daemon: PrivateLibvirtd;
let connection: Connection;
let guest: TestGuest;
const world = (): World => ({ daemon, connection, guest, folder: project.folder });

beforeAll(async () => {
  project = new Project();
  daemon = await PrivateLibvirtd.start();
  connection = await daemon.connect();
  guest = await TestGuest.boot({ name: 'web1', disks: 2, persistent: true, connection });
}, 180_000);

afterAll(async () => {
  await guest?.close();
  await connection?.close();
  await daemon?.close();
  project?.[Symbol.dispose]();
});

/** Until the sample has printed something. */
async function makeEvents(child: ChildProcess): Promise<void> {
  let isEnough = false;
  for (const event of ['data', 'end']) child.stdout?.once(event, () => (isEnough = true));
  while (!isEnough) {
    await guest.domain.suspend();
    await guest.domain.resume();
  }
  child.kill();
}

const isRunHere = (sample: Sample) => {
  const { apart, runBy } = circumstanceOf(sample) ?? { in: '' };
  return !bootsGuests(sample) && apart === undefined && runBy === undefined;
};
const run = samples.filter(isRunHere);

describe.each(run)('$where', (sample) => {
  const { before, after, names, followedBy, endless } = circumstanceOf(sample) ?? { in: '' };

  test('runs, says what it shows, and leaves no snapshot', async () => {
    await before?.(world());
    try {
      const meanwhile = endless ? makeEvents : undefined;
      const ended = await project.run(sample, { ...namesIn(world()), ...names }, { followedBy, meanwhile });
      expect(ended).toEqual({ code: endless ? null : 0, errors: '', output: expect.any(String) });
      if (endless) expect(ended.output).not.toBe('');
      for (const shown of shownBy(sample)) expect(ended.output).toContain(shown);
    } finally {
      await after?.(world());
    }
    expect(await listDiskSnapshots(guest.domain)).toEqual([]);
  }, 120_000);
});

test('each circumstance is that of one sample', () => {
  const counts = CIRCUMSTANCES.map((one) => ({ ...one, samples: samplesOf(one, samples) }));
  expect(counts.filter((one) => one.samples !== 1)).toEqual([]);
});

test('no @example is overlooked: they stand where users read them', () => {
  expect(docstrings).toHaveLength(countExamples());
  expect(run.length).toBeGreaterThan(30);
});
