import { expect } from 'vitest';
import { test } from './guest-test.js';

test('a test may delete everything', async ({ guest }) => {
  await guest.exec(['rm', '-rf', '/etc', '/mnt/a']);
  expect((await guest.exec(['ls', '/etc'])).exitCode).not.toBe(0);
});

test('and another finds it as it was', async ({ guest }) => {
  expect((await guest.exec(['ls', '/etc/inittab'])).stdout).toBe('/etc/inittab\n');
  await guest.domain.destroy();
});

test('even running', async ({ guest }) => {
  expect((await guest.exec(['ls', '/mnt'])).stdout).toBe('a\nb\n');
});
