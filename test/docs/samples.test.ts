// Every code sample compiles against the types that the package ships.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Complaint, UserProject } from '../contract/shipped';
import { circumstanceOf } from './circumstances';
import { samples as all, asModule, importsFor, isProgram } from './samples';
import { GLOBALS, MODULES } from './taken-for-granted';

const samples = all.filter((sample) => circumstanceOf(sample)?.apart === undefined);
const NOT_A_SAMPLE = "import { connect } from 'libvirt-disksnapshot';\nconst wrong: number = await connect(1);\n";

let project: UserProject;
let complaints: Complaint[] = [];
const nameOf = (index: number) => `sample-${index}.mts`;

beforeAll(() => {
  project = new UserProject();
  project.write('globals.d.ts', GLOBALS);
  project.write('modules.d.ts', MODULES);
  project.write('wrong.mts', NOT_A_SAMPLE);
  for (const [index, { text }] of samples.entries()) {
    // In one line with the first, so that lines count as in the sample.
    project.write(nameOf(index), isProgram(text) ? asModule(text) : `${importsFor(text)} ${text}\nexport {};\n`);
  }
  complaints = project.compile([
    'globals.d.ts',
    'modules.d.ts',
    'wrong.mts',
    ...samples.map((_, index) => nameOf(index)),
  ]);
}, 180_000);
afterAll(() => project[Symbol.dispose]());

test.each(samples.map(({ where }, index) => [where, index] as const))('%s', (_, index) => {
  const about = complaints.filter(({ file }) => file === nameOf(index));
  expect(about.map(({ line, message }) => `line ${line}: ${message}`)).toEqual([]);
});

test('a sample that is wrong is noticed', () => {
  expect(complaints.filter(({ file }) => file === 'wrong.mts')).not.toEqual([]);
});
