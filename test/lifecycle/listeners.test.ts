// Listeners that throw: what tells them goes on, and the process hears of the error as of any event listener's.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const run = (program: string) =>
  execFileSync(process.execPath, ['-e', program], { cwd: join(__dirname, '..', '..'), encoding: 'utf8' });
const HEAR = `process.on('uncaughtException', (error) => console.log('heard: ' + error.message));`;

test('of progress: the operation goes on, and the process hears of the error', () => {
  const program = `
    const { tell } = require('./dist/disk-snapshot/progress');
    ${HEAR}
    tell(() => { throw new Error('of the listener'); }, { phase: 'cut', done: 0, total: 0 });
    console.log('went on');
  `;
  expect(run(program)).toBe('went on\nheard: of the listener\n');
});

test('of events: the others are served, later events come, and the process hears of each error', () => {
  const program = `
    const libvirt = require('./dist');
    ${HEAR}
    (async () => {
      const conn = await libvirt.connect('test:///default');
      const dom = await conn.domainLookupByName('test');
      const events = await conn.subscribe('lifecycle');
      const seen = [];
      const both = new Promise((resolve) => {
        events.on(({ event }) => { throw new Error('of event ' + event); });
        events.on(({ event }) => { if (seen.push(event) === 2) resolve(); });
      });
      await dom.suspend();
      await dom.resume();
      await both;
      await conn.close();
      console.log('seen: ' + seen);
    })();
  `;
  expect(run(program)).toBe('heard: of event 3\nheard: of event 4\nseen: 3,4\n');
});
