// A progress listener that throws: the operation goes on, and the error surfaces like that of any event listener.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

test('what tells it goes on, and the process hears of the error', () => {
  const program = `
    const { tell } = require('./dist/disk-snapshot/progress');
    process.on('uncaughtException', (error) => console.log('heard: ' + error.message));
    tell(() => { throw new Error('of the listener'); }, { phase: 'cut', done: 0, total: 0 });
    console.log('went on');
  `;
  const cwd = join(__dirname, '..', '..');
  expect(execFileSync(process.execPath, ['-e', program], { cwd, encoding: 'utf8' })).toBe(
    'went on\nheard: of the listener\n',
  );
});
