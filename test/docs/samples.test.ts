// Every code sample compiles against the types that the package ships.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Complaint, UserProject } from '../contract/shipped';
import { importsFor, isProgram, samples } from './samples';

/** What pieces of a program take for granted, beside the package's exports. */
const AROUND = [
  'export {};',
  'declare global {',
  "  const conn: import('libvirt-disksnapshot').Connection;",
  "  const dom: import('libvirt-disksnapshot').Domain;",
  "  const domain: import('libvirt-disksnapshot').Domain;",
  "  const guest: import('libvirt-disksnapshot/testing').TestGuest;",
  "  const set: import('libvirt-disksnapshot').DiskSnapshotSet;",
  "  const vol: import('libvirt-disksnapshot').StorageVol;",
  '  const xml: string;',
  '  const uri: string;',
  '  const bytes: Uint8Array;',
  "  const hash: import('node:crypto').Hash;",
  "  const AcmeMethod: new () => import('libvirt-disksnapshot').SnapshotMethod;",
  '  function takeSnapshotOfTheLun(): Promise<void>;',
  ...['beforeAll', 'afterEach', 'afterAll'].map(
    (hook) => `  function ${hook}(work: () => unknown, timeoutMs?: number): void;`,
  ),
  '  function test(name: string, work: () => unknown): void;',
  '}',
].join('\n');

const NOT_A_SAMPLE = "import { connect } from 'libvirt-disksnapshot';\nconst wrong: number = await connect(1);\n";

let project: UserProject;
let complaints: Complaint[] = [];
const nameOf = (index: number) => `sample-${index}.mts`;

beforeAll(() => {
  project = new UserProject();
  project.write('around.d.ts', AROUND);
  project.write('wrong.mts', NOT_A_SAMPLE);
  for (const [index, { text }] of samples.entries()) {
    // In one line with the first, so that lines count as in the sample.
    project.write(nameOf(index), isProgram(text) ? text : `${importsFor(text)} ${text}\nexport {};\n`);
  }
  complaints = project.compile(['around.d.ts', 'wrong.mts', ...samples.map((_, index) => nameOf(index))]);
}, 180_000);
afterAll(() => project[Symbol.dispose]());

test.each(samples.map(({ where }, index) => [where, index] as const))('%s', (_, index) => {
  const about = complaints.filter(({ file }) => file === nameOf(index));
  expect(about.map(({ line, message }) => `line ${line}: ${message}`)).toEqual([]);
});

test('a sample that is wrong is noticed', () => {
  expect(complaints.filter(({ file }) => file === 'wrong.mts')).not.toEqual([]);
});
