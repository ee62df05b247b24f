// LibvirtError: all that libvirt says, from the thread that failed, with a stack that shows who called.
import { expect, jest, test } from '@jest/globals';
import { LibvirtError } from '../../lib/libvirt';
import { rejection, testDriver } from './test-driver';

const driver = testDriver();

test('all fields, with names beside the numbers', async () => {
  const error = await rejection(driver.connection.domainLookupByName('none'));
  expect(error).toBeInstanceOf(LibvirtError);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: 'LibvirtError',
    code: 42,
    codeName: 'NO_DOMAIN',
    domain: 12,
    domainName: 'TEST',
    level: 2,
    levelName: 'ERROR',
    str1: expect.any(String),
    str2: null,
    str3: null,
    int1: -1,
    int2: -1,
  });
});

test('the stack shows who called', async () => {
  async function theCaller() {
    await driver.connection.domainLookupByName('none');
  }
  const error = (await rejection(theCaller())) as Error;
  expect(error.stack).toContain('theCaller');
  expect(error.stack).toContain('domainLookupByName');
});

test('each call gets its own error', async () => {
  const names = Array.from({ length: 200 }, (_, i) => `none-${i}`);
  const uuids = names.map((_, i) => `00000000-0000-0000-0000-${String(i).padStart(12, '0')}`);
  const errors = await Promise.all(
    [...names.keys()].flatMap((i) => [
      rejection(driver.connection.domainLookupByUUIDString(uuids[i] ?? '')),
      rejection(driver.domain.snapshotLookupByName(names[i] ?? '')),
    ]),
  );
  for (const [i, error] of errors.entries()) {
    const expected = i % 2 === 0 ? { codeName: 'NO_DOMAIN' } : { codeName: 'NO_DOMAIN_SNAPSHOT' };
    expect(error).toMatchObject(expected);
    if (i % 2 === 1) expect((error as Error).message).toContain(`none-${(i - 1) / 2}'`);
  }
});

test('what the driver does not support', async () => {
  expect(await rejection(driver.domain.getBlockJobInfo('vda'))).toMatchObject({ codeName: 'NO_SUPPORT' });
});

test('instanceof holds for another copy of the package, and not for a likeness', async () => {
  const error = await rejection(driver.connection.domainLookupByName('none'));
  let otherCopy: typeof LibvirtError | undefined;
  jest.isolateModules(() => {
    otherCopy = require('../../lib/libvirt').LibvirtError;
  });
  expect(otherCopy).not.toBe(LibvirtError);
  expect(error instanceof (otherCopy as typeof LibvirtError)).toBe(true);
  expect(Object.assign(new Error(), { name: 'LibvirtError', code: 42 }) instanceof LibvirtError).toBe(false);
  class Derived extends LibvirtError {}
  expect(error instanceof Derived).toBe(false);
});

test('a handle of another copy of the package is good', async () => {
  const otherCopy: typeof import('../../lib/libvirt') = jest.requireActual('../../lib/libvirt');
  expect(driver.domain instanceof otherCopy.Domain).toBe(true);
  expect(await otherCopy.Domain.prototype.isActive.call(driver.domain)).toBe(true);
});
