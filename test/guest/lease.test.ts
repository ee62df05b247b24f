// JavaScript that is stuck holds nobody frozen or paused for longer than was said. No guard helps in these tests: what acts is
// the thread in this process, which is all that an embedded driver can have while the process lives.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Connection, quiesceStorage } from '../../lib';
import { watchOver } from '../../lib/disk-snapshot/guard/watch';
import { PrivateLibvirtd, startWriter, TestGuest, type TickWriter } from '../../lib/testing';

jest.setTimeout(120_000);

const MAX_FREEZE_MS = 1_500;
const STUCK_MS = 6_000;

/** Nothing else runs in this JavaScript meanwhile: no timer, no event, no promise. */
function stuck(): void {
  const until = performance.now() + STUCK_MS;
  while (performance.now() < until);
}

describe.each(['embedded', 'daemon'])('over the %s driver', (kind) => {
  let daemon: PrivateLibvirtd | undefined;
  let connection: Connection | undefined;
  let guest: TestGuest;
  let writer: TickWriter;
  beforeAll(async () => {
    if (kind === 'daemon') {
      daemon = await PrivateLibvirtd.start();
      connection = await daemon.connect();
    }
    guest = await TestGuest.boot({ restorable: false, ...(connection && { connection }) });
    writer = await startWriter(guest);
  });
  afterAll(async () => {
    await guest?.close();
    await connection?.close();
    await daemon?.close();
  });

  test('a freeze is thawed in time, and its holder is told', async () => {
    await writer.mark();
    const frozen = await quiesceStorage(guest.domain, { maxFreezeMs: MAX_FREEZE_MS, guard: false });
    stuck();
    expect(frozen.signal.reason).toMatchObject({ code: 'FREEZE_BUDGET_EXCEEDED' });
    expect(await frozen.unquiesce()).toMatchObject({ intact: false });
    expect(await writer.largestGapMs()).toBeGreaterThan(MAX_FREEZE_MS - 500);
    expect(await writer.largestGapMs()).toBeLessThan(STUCK_MS - 2_000);
  });

  test('a freeze that was let go in time is not ended a second time', async () => {
    await (await quiesceStorage(guest.domain, { maxFreezeMs: MAX_FREEZE_MS, guard: false })).unquiesce();
    const next = await quiesceStorage(guest.domain, { maxFreezeMs: 60_000, guard: false });
    stuck();
    expect(await next.unquiesce()).toMatchObject({ intact: true });
  });

  test('a pause is ended', async () => {
    await writer.mark();
    const watch = await watchOver(guest.domain, 'pause', MAX_FREEZE_MS, { guard: false });
    await guest.domain.suspend();
    stuck();
    expect((await guest.domain.getState()).state).toBe(1);
    watch.end();
    expect(await writer.largestGapMs()).toBeLessThan(STUCK_MS - 2_000);
  });
});
