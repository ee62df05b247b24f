// Text and JSON, colours and none; names that would do something to a terminal.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { DiskSnapshotError, type DiskSnapshotErrorCode, type Outcome } from '../../lib';
import { EXIT_MEANING } from '../../lib/cli/exit-codes';
import { CliError, failureOf } from '../../lib/cli/failure';
import { formatBytes } from '../../lib/cli/format';
import { Interrupted, type InterruptSignal, Interrupts } from '../../lib/cli/interrupt';
import { Output, type OutputStream, printable, wantsColour } from '../../lib/cli/output';

class Recorder extends Writable implements OutputStream {
  text = '';
  constructor(readonly isTTY = false) {
    super();
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

describe('colours', () => {
  test.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
  ])('on a terminal: %s, with %j: %s', (isTTY, env, wanted) => {
    expect(wantsColour(new Recorder(isTTY), env)).toBe(wanted);
  });
});

test('no name moves the cursor, ends a line or turns the text around', () => {
  expect(printable('a\x1b[2Jb\n\u202ec\x9b')).toBe('a\\u{1b}[2Jb\\u{a}\\u{202e}c\\u{9b}');
  expect(printable('Größe 東京 👩‍💻')).toBe('Größe 東京 👩‍💻');
});

test('columns are as wide as the widest cell, also of wide letters', () => {
  const output = new Output({ stdout: new Recorder(), stderr: new Recorder(), env: {}, json: false });
  expect(
    output.columns([
      ['東京', 'x'],
      ['a', { text: 'y', colour: 'red' }],
    ]),
  ).toBe('東京  x\na     y');
});

test('with --json one document is on stdout, a failure is one on stderr, and nothing else', () => {
  const [stdout, stderr] = [new Recorder(), new Recorder()];
  const output = new Output({ stdout, stderr, env: {}, json: true });
  output.note('beside');
  output.result({ a: 1 }, () => 'text');
  output.failure(failureOf(new CliError('NOT_FOUND', 4, 'gone')));
  expect(JSON.parse(stdout.text)).toEqual({ a: 1 });
  expect(JSON.parse(stderr.text)).toEqual({
    error: { code: 'NOT_FOUND', message: 'gone', outcome: 'unchanged', exitCode: 4 },
  });
});

describe('exit codes', () => {
  test.each<[DiskSnapshotErrorCode, Outcome, number]>([
    ['NO_SPACE', 'undone', 1],
    ['INVALID_ARGUMENT', 'unchanged', 2],
    ['DISK_NOT_FOUND', 'unchanged', 4],
    ['OPERATION_IN_PROGRESS', 'unchanged', 5],
    ['THAW_FAILED', 'done', 6],
    ['CONNECTION_LOST', 'unknown', 8],
    ['OPERATION_IN_PROGRESS', 'unknown', 8],
  ])('%s, %s: %d', (code, outcome, exitCode) => {
    expect(failureOf(new DiskSnapshotError(code, 'why', { outcome, guest: 'web1' }))).toMatchObject({
      code,
      outcome,
      exitCode,
    });
  });

  test('an interrupt, a deadline, a wrong argument, a defect', () => {
    expect(failureOf(new Interrupted('SIGINT')).exitCode).toBe(130);
    expect(failureOf(new Interrupted('SIGTERM')).exitCode).toBe(143);
    expect(failureOf(new DOMException('late', 'TimeoutError')).exitCode).toBe(124);
    expect(failureOf(Object.assign(new RangeError('x'), { code: 'ERR_OUT_OF_RANGE' })).exitCode).toBe(2);
    expect(failureOf(Object.assign(new Error('x'), { code: 'EACCES', syscall: 'open' })).exitCode).toBe(1);
    expect(failureOf(new Error('x'))).toMatchObject({ code: 'DEFECT', outcome: 'unknown', exitCode: 70 });
  });

  test('docs/cli.md lists all of them', () => {
    const text = readFileSync(join(__dirname, '..', '..', 'docs', 'cli.md'), 'utf8');
    for (const { code, meaning } of EXIT_MEANING) expect(text).toContain(`| ${code} | ${meaning} |`);
  });

  test('the way out is told in words of the command line', () => {
    const error = new DiskSnapshotError('RECOVERY_NEEDED', 'why', { outcome: 'unknown', guest: 'web1' });
    expect(failureOf(error).hint).toBe('disksnap recover web1');
  });
});

test('the first signal aborts, the second leaves; after that they are what they were', () => {
  const listeners = new Map<InterruptSignal, () => void>();
  const left: number[] = [];
  const interrupts = new Interrupts({
    on: (name, listener) => listeners.set(name, listener),
    off: (name) => listeners.delete(name),
    exit: (code) => left.push(code),
  });
  const told: string[] = [];
  const listening = interrupts.listen({
    first: ({ by }) => told.push(`first ${by}`),
    second: ({ by }) => told.push(`second ${by}`),
  });
  listeners.get('SIGINT')?.();
  expect(interrupts.signal.reason).toBeInstanceOf(Interrupted);
  expect({ told, left }).toEqual({ told: ['first SIGINT'], left: [] });
  listeners.get('SIGTERM')?.();
  expect({ told, left }).toEqual({ told: ['first SIGINT', 'second SIGTERM'], left: [143] });
  listening[Symbol.dispose]();
  expect(listeners.size).toBe(0);
});

test('sizes as people read them', () => {
  expect([0, 1, 1023, 1024, 1536, 200 * 1024 ** 2, 3 * 1024 ** 4].map(formatBytes)).toEqual([
    '0 B',
    '1 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '200 MiB',
    '3.0 TiB',
  ]);
});
