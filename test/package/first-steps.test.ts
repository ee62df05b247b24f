// The tarball, README.md and docs/quick-start.md, and nothing else: followed word by word on a host with one guest. Only the
// daemon's address is put in, and the compiler is there already.
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Connection } from '../../lib';
import { PrivateLibvirtd, TestGuest } from '../../lib/testing';
import { pages, root } from '../docs/markdown';
import { run } from './programs';
import { User } from './user';

jest.setTimeout(180_000);

/** The user of that name. */
const NOBODY = '65534';

let user: User;
let daemon: PrivateLibvirtd;
let conn: Connection;
let guest: TestGuest;
beforeAll(async () => {
  user = User.withPackage();
  daemon = await PrivateLibvirtd.start();
  conn = await daemon.connect();
  guest = await TestGuest.boot({ name: 'web1', disks: 2, persistent: true, connection: conn });
}, 180_000);
afterAll(async () => {
  await guest?.close();
  await conn?.close();
  await daemon?.close();
  user?.[Symbol.dispose]();
});

const blocks = (file: string, language: string) =>
  (pages.find((page) => page.file === file)?.blocks ?? [])
    .filter((block) => block.language === language)
    .map(({ text }) => text.replaceAll('qemu:///system', daemon.uri));

/** With the system's programs, as qemu-img. */
const node = (...args: string[]) => run(process.execPath, args, { cwd: user.folder });

test('README.md: its program takes a snapshot of the guest that is named, and merges it', async () => {
  const [program = ''] = blocks('README.md', 'js');
  user.write('snap.mjs', program);
  const said = await node('snap.mjs', 'web1');
  expect(said).toMatch(/^filesystem [\d.]+\nvda <source file='.*'\/>\nvdb <source file='.*'\/>\n/);
});

test('docs/quick-start.md: CommonJS', async () => {
  const [program = ''] = blocks('docs/quick-start.md', 'js');
  user.write('list.cjs', program);
  expect(await node('list.cjs')).toBe("[ 'web1' ]\n");
});

test('docs/quick-start.md: without a virtual machine, by a user who is not root', async () => {
  const program = blocks('docs/quick-start.md', 'ts').find((text) => text.includes('TestGuest.boot')) ?? '';
  user.write('guest.mjs', program);
  await run('chown', ['--recursive', `${NOBODY}:${NOBODY}`, user.home], { cwd: user.folder });
  const identity = ['--reuid', NOBODY, '--regid', NOBODY, '--clear-groups'];
  const env = { HOME: user.home, XDG_CACHE_HOME: join(user.home, '.cache') };
  const said = await run('setpriv', [...identity, process.execPath, 'guest.mjs'], { cwd: user.folder, env });
  expect(said).toBe('filesystem\ntrue\n');
});

test('docs/quick-start.md: TypeScript, by the configuration that it shows', async () => {
  for (const name of ['typescript', '@types', 'undici-types'])
    symlinkSync(join(root, 'node_modules', name), join(user.folder, 'node_modules', name));
  user.write('tsconfig.json', blocks('docs/quick-start.md', 'json').join(''));
  const programs = blocks('docs/quick-start.md', 'ts');
  for (const [index, program] of programs.entries()) user.write(`step-${index}.mts`, program);
  expect(await node('node_modules/typescript/bin/tsc')).toBe('');
  const said: string[] = [];
  for (const index of programs.keys()) said.push(await node(`step-${index}.mjs`));
  expect(said).toEqual([
    expect.stringMatching(/^web1 true filesystem\n {3}vda qemu .*\n {3}vdb qemu /),
    expect.stringMatching(/ filesystem\nvda <source/),
    'filesystem\ntrue\n',
    expect.stringMatching(/^\S+\n$/),
  ]);
});
