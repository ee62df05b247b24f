// A freeze whose daemon dies: its holder is told, and those that watch thaw it as soon as they can.

import { setTimeout as delay } from 'node:timers/promises';
import { expect, jest, test } from '@jest/globals';
import { quiesceStorage, unquiesceStorage } from '../../lib/disk-snapshot/freeze/quiesce';
import { PrivateLibvirtd, TestGuest } from '../../lib/testing';
import { agentCommand } from '../../lib/testing/agent';
import { untilAborted } from '../until-aborted';

jest.setTimeout(120_000);

test('the holder is told, and the guest is thawed when the daemon is back, long before its time is over', async () => {
  await using daemon = await PrivateLibvirtd.start();
  await using connection = await daemon.connect();
  const guest = await TestGuest.boot({ connection, disks: 2 });
  try {
    const frozen = await quiesceStorage(guest.domain, { maxFreezeMs: 60_000 });
    await daemon.kill();
    await untilAborted(frozen.signal);
    expect(frozen.signal.reason).toMatchObject({ code: 'CONNECTION_LOST', outcome: 'unknown' });
    await expect(frozen.unquiesce()).rejects.toMatchObject({ code: 'CONNECTION_LOST', outcome: 'unknown' });

    await daemon.restart();
    await using again = await daemon.connect();
    const found = await again.domainLookupByName(guest.name);
    const limit = AbortSignal.timeout(20_000);
    const status = () => agentCommand(found, 'guest-fsfreeze-status', undefined, 5).catch(() => 'nobody answers');
    while ((await status()) !== 'thawed' && !limit.aborted) await delay(50);
    expect(await status()).toBe('thawed');
    const next = await quiesceStorage(found);
    expect(await next.unquiesce()).toMatchObject({ intact: true });
    expect(await unquiesceStorage(found)).toEqual({ thawed: 0 });
    await found.destroy();
  } finally {
    await guest.close().catch(() => undefined); // its connection is the one that was lost
  }
});
