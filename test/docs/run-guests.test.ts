// The code samples that boot guests of their own are run as they stand, by Node or by the test runner that they are for.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { qemuImg } from '../guest/bare-domain';
import { Project, shownBy } from './project';
import { bootsGuests, samples } from './samples';

let project: Project;
/** A name in them, and what has its place here. */
let names: Record<string, string>;

beforeAll(async () => {
  project = new Project();
  names = { '/images/debian-12.qcow2': join(project.folder, 'debian-12.qcow2') };
  for (const image of Object.values(names)) await qemuImg('create', '-q', '-f', 'qcow2', image, '64M');
});
afterAll(() => project?.[Symbol.dispose]());

describe.each(samples.filter(bootsGuests))('$where', (sample) => {
  test('runs, and says what it shows', async () => {
    const ended = await project.run(sample, names);
    expect(ended).toEqual({ code: 0, errors: '', output: expect.any(String) });
    for (const shown of shownBy(sample)) expect(ended.output).toContain(shown);
  }, 120_000);
});
