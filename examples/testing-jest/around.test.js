// Around one test alone: withSnapshot takes any running guest on qcow2 disks, also one of your own.
const { TestGuest, withSnapshot } = require('libvirt-disksnapshot/testing');

let guest;
beforeAll(async () => {
  guest = await TestGuest.boot();
}, 180_000);
afterAll(() => guest?.close());

test('a full disk is reported', () =>
  withSnapshot(
    guest.domain,
    async () => {
      const { exitCode, stderr } = await guest.exec(['dd', 'if=/dev/zero', 'of=/mnt/a/full', 'bs=1M']);
      expect(exitCode).toBe(1);
      expect(stderr).toContain('No space left on device');
    },
    { timeoutMs: 50_000 },
  ));

test('and is empty again', async () => {
  expect((await guest.exec(['ls', '/mnt/a/full'])).exitCode).toBe(1);
});
