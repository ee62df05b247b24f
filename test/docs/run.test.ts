// The samples that say so are run as they stand, each in a process of its own, on a guest named web1 of a real daemon; only the
// daemon's address is put in. What they print is looked at where the sample says what it is.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { type Connection, listDiskSnapshots } from '../../lib';
import { PrivateLibvirtd, TestGuest } from '../../lib/testing';
import { root } from './markdown';
import { importsFor, isProgram, samples } from './samples';

const SYSTEM = 'qemu:///system';
const around = (piece: string) => `${importsFor(`connect ${piece}`)}
const conn = await connect('${SYSTEM}');
const dom = await conn.domainLookupByName('web1');
${piece}
await conn.close();
`;

let daemon: PrivateLibvirtd;
let conn: Connection;
let guest: TestGuest;
let project: string;

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'samples-'));
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(root, join(project, 'node_modules', 'libvirt-disksnapshot'));
  daemon = await PrivateLibvirtd.start();
  conn = await daemon.connect();
  guest = await TestGuest.boot({ name: 'web1', disks: 2, persistent: true, connection: conn });
}, 180_000);

afterAll(async () => {
  await guest?.close();
  await conn?.close();
  await daemon?.close();
  rmSync(project, { recursive: true, force: true });
});

async function run(sample: string): Promise<{ code: number; output: string; errors: string }> {
  const program = isProgram(sample) ? sample : around(sample);
  const { outputText } = ts.transpileModule(
    program.replaceAll(SYSTEM, daemon.uri).replaceAll('/backup/', `${project}/`),
    {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    },
  );
  const file = join(project, 'sample.mjs');
  writeFileSync(file, outputText);
  const child = spawn(process.execPath, [file], { cwd: project, stdio: ['ignore', 'pipe', 'pipe'], timeout: 90_000 });
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, output, errors };
}

const runnable = samples.filter(({ runs }) => runs);

describe.each(runnable)('$where', ({ text: sample }) => {
  test('runs, says what it shows, and leaves no snapshot', async () => {
    const { code, output, errors } = await run(sample);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    for (const [, shown = ''] of sample.matchAll(/console\.log\(.*\);\s*\/\/ prints: (.*)$/gm)) {
      expect(output).toContain(shown);
    }
    expect(await listDiskSnapshots(guest.domain)).toEqual([]);
  }, 120_000);
});

test('there are samples to run', () => {
  expect(runnable.length).toBeGreaterThan(5);
});
