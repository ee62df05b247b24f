// What decides whether guests run on KVM can say yes, and says it of what is fast enough alone.
import { expect, test } from '@jest/globals';
import { TestGuest } from '../../lib/testing';
import { accelerator, runsAtSpeed } from '../../lib/testing/accelerator';

test('the boot sector runs to its end where 64-bit code runs', async () => {
  expect(await runsAtSpeed('tcg')).toBe(true);
  expect(await runsAtSpeed('nothing' as 'tcg')).toBe(false); // QEMU refuses to start
});

test('a guest on what was chosen is up in seconds', async () => {
  const start = performance.now();
  await using guest = await TestGuest.boot({ restorable: false });
  expect(performance.now() - start).toBeLessThan(30_000);
  expect(await guest.domain.getXMLDesc()).toContain(`<domain type='${await accelerator()}'`);
});
