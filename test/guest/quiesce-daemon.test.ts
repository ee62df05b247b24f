// A freeze whose daemon dies: nobody can thaw it, and nobody is told otherwise.

import { aborted } from 'node:util';
import { expect, jest, test } from '@jest/globals';
import { quiesceStorage, unquiesceStorage } from '../../lib/disk-snapshot/freeze/quiesce';
import { PrivateLibvirtd, TestGuest } from '../../lib/testing';

jest.setTimeout(120_000);

test('the holder is told, and who connects again thaws the guest', async () => {
  await using daemon = await PrivateLibvirtd.start();
  await using connection = await daemon.connect();
  const guest = await TestGuest.boot({ connection, disks: 2 });
  try {
    const frozen = await quiesceStorage(guest.domain, { maxFreezeMs: 60_000 });
    await daemon.kill();
    await aborted(frozen.signal, frozen);
    expect(frozen.signal.reason).toMatchObject({ code: 'CONNECTION_LOST', outcome: 'unknown' });
    await expect(frozen.unquiesce()).rejects.toMatchObject({ code: 'CONNECTION_LOST', outcome: 'unknown' });

    await daemon.restart();
    await using again = await daemon.connect();
    const found = await again.domainLookupByName(guest.name);
    await expect(quiesceStorage(found)).rejects.toMatchObject({ code: 'ALREADY_FROZEN' });
    expect(await unquiesceStorage(found)).toEqual({ thawed: 2 });
    expect(await unquiesceStorage(found)).toEqual({ thawed: 0 });
    await found.destroy();
  } finally {
    await guest.close().catch(() => undefined); // its connection is the one that was lost
  }
});
