import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { guestForTests } from 'libvirt-disksnapshot/testing';

const guest = guestForTests({ before, afterEach, after }, { disks: 2 });

afterEach(async (t) => {
  if (t.passed === false) t.diagnostic(await guest().console());
});

test('a test may delete everything', async () => {
  await guest().exec(['rm', '-rf', '/etc', '/mnt/a']);
  assert.notEqual((await guest().exec(['ls', '/etc'])).exitCode, 0);
});

test('and another finds it as it was', async () => {
  assert.equal((await guest().exec(['ls', '/etc/inittab'])).stdout, '/etc/inittab\n');
  await guest().domain.destroy();
});

test('even running', async () => {
  assert.equal((await guest().exec(['ls', '/mnt'])).stdout, 'a\nb\n');
});
