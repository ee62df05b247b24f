// What the package ships is what was promised: users' programs compile against it, and so does each promised name.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Declarations } from './declarations';
import { type Complaint, UserProject } from './shipped';

const HEADER = 2;
const entries = [
  { declarations: new Declarations('index.d.ts'), packageName: 'libvirt-disksnapshot' },
  { declarations: new Declarations('testing.d.ts'), packageName: 'libvirt-disksnapshot/testing' },
];
const programs = ['backup.mts', 'harness.ts', 'manager.mts', 'migrate.mts', 'plugin.ts'];

let project: UserProject;
let complaints: Complaint[] = [];
beforeAll(() => {
  project = new UserProject();
  const files = project.addPrograms();
  for (const { declarations, packageName } of entries) {
    const base = declarations.file.replace('.d.ts', '');
    project.write(
      `promised-${declarations.file}`,
      declarations.withHandlesOf(packageName).replace("'./index.js'", "'libvirt-disksnapshot'"),
    );
    project.write(`check-${base}.ts`, checkOf(declarations, packageName));
    files.push(`check-${base}.ts`);
  }
  complaints = project.compile(files);
}, 180_000);
afterAll(() => project[Symbol.dispose]());

function checkOf(declarations: Declarations, packageName: string): string {
  const base = declarations.file.replace('.d.ts', '.js');
  const header = [`import * as Ours from '${packageName}';`, `import type * as Promised from './promised-${base}';`];
  return [...header, ...declarations.assignments(), ''].join('\n');
}

const about = (file: string, line?: number) =>
  complaints.filter((one) => one.file === file && (line === undefined || one.line === line)).map((one) => one.message);

test("the package's own types compile in a strict project", () => {
  const shipped = complaints.filter(({ file }) => file.startsWith('node_modules/libvirt-disksnapshot/'));
  expect(shipped).toEqual([]);
});

describe("a user's program", () => {
  test.each(programs)('%s compiles', (program) => {
    expect(about(program)).toEqual([]);
  });

  test('is here for each file in programs/', () => {
    expect(project.addPrograms().sort()).toEqual(programs);
  });
});

describe.each(entries)('$packageName', ({ declarations }) => {
  const base = declarations.file.replace('.d.ts', '');
  test.each(declarations.promised.map(({ name, kind }, index) => ({ name, kind, index })))(
    '$kind $name is as promised',
    ({ index }) => {
      expect(about(`check-${base}.ts`, HEADER + 1 + index)).toEqual([]);
    },
  );
});
