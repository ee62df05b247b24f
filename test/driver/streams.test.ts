// Streams of the test driver: a picture of a guest's screen.
import { expect, test } from '@jest/globals';
import { connect } from '../../lib/libvirt';
import { testDriver } from './test-driver';

const driver = testDriver();

test('a screenshot is a picture of the type that the call tells', async () => {
  const stream = await driver.connection.streamNew();
  expect(await driver.domain.screenshot(stream, 0)).toBe('image/png');
  const picture = Buffer.concat(await stream.readable().toArray());
  expect(picture.subarray(1, 4).toString()).toBe('PNG');
});

test('a stream that nothing is connected to fails, and can be aborted all the same', async () => {
  const stream = await driver.connection.streamNew();
  await expect(stream.recv(Buffer.alloc(1))).rejects.toMatchObject({ name: 'LibvirtError' });
});

test('a stream of another connection is refused', async () => {
  const other = await connect('test:///default');
  const stream = await other.streamNew();
  await expect(driver.domain.screenshot(stream, 0)).rejects.toMatchObject({
    code: 'ERR_INVALID_ARG_VALUE',
    message: "The argument 'stream' of virDomainScreenshot must be a Stream of the same connection",
  });
  await other.close();
});
