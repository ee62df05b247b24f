// Each version of Node that is promised: ES modules, CommonJS and worker threads, by one binary.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { NODE_MAJORS, nodeOf } from './programs';
import { CJS, ESM, QUICK_START_SAYS, User } from './user';

jest.setTimeout(180_000);

let user: User;
beforeAll(async () => {
  user = User.withPackage();
  user.write('start.mjs', ESM);
  user.write('start.cjs', CJS);
  user.write(
    'workers.mjs',
    `import { Worker } from 'node:worker_threads';
    const codes = ['start.mjs', 'start.cjs', 'start.mjs'].map(
      (file) => new Promise((resolve) => new Worker(new URL(file, import.meta.url)).on('exit', resolve)));
    console.log((await Promise.all(codes)).join());`,
  );
});
afterAll(() => user[Symbol.dispose]());

describe.each(NODE_MAJORS)('Node %i', (major) => {
  let other: (file: string) => Promise<string>;
  beforeAll(async () => {
    const node = await nodeOf(major);
    other = (file) => user.run([file], {}, node);
  });

  test.each(['start.mjs', 'start.cjs'])('%s', async (file) => {
    expect(await other(file)).toBe(QUICK_START_SAYS);
  });

  test('worker threads, three at once', async () => {
    expect(await other('workers.mjs')).toBe(`${QUICK_START_SAYS.repeat(3)}0,0,0\n`);
  });
});
