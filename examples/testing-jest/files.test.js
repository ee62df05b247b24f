// One guest for the file, pristine for each test. Jest runs files in processes of their own: each has its guest.
const { guestForTests } = require('libvirt-disksnapshot/testing');

const guest = guestForTests(
  { beforeAll, afterEach, afterAll },
  { disks: 2, prepare: (fresh) => fresh.writeFile('/etc/service.conf', 'port=80\n') },
);

test('a test may delete everything', async () => {
  await guest().exec(['rm', '-rf', '/etc', '/mnt/a']);
  expect((await guest().exec(['ls', '/etc'])).exitCode).not.toBe(0);
});

test('and another finds it as it was', async () => {
  expect((await guest().readFile('/etc/service.conf')).toString()).toBe('port=80\n');
});

test('even the guest itself', async () => {
  await guest().domain.destroy();
  expect(
    await guest()
      .domain.isActive()
      .catch(() => false),
  ).toBe(false);
});

test('runs again', async () => {
  expect(await guest().exec(['cat', '/etc/service.conf'])).toEqual({ exitCode: 0, stdout: 'port=80\n', stderr: '' });
});
