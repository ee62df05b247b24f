// When the agent is absent, hangs or loses the freeze, and when the cut itself fails: what is told, and what is left.

import { readdirSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { DiskSnapshotError, diskSnapshotCreate, planSnapshot, quiesceStorage, snapshotDisks } from '../../lib';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import { TestGuest } from '../../lib/testing';
import { FREEZE_HOOK } from '../../lib/testing/guest-scripts';
import { readDomain } from '../../lib/xml/domain';
import { untilAborted } from '../until-aborted';

jest.setTimeout(120_000);

describe('without an agent', () => {
  test('the default goes on and says so; required is refused before anything is touched', async () => {
    await using guest = await TestGuest.boot({ agent: false });
    const before = await guest.domain.getXMLDesc();
    await expect(snapshotDisks(guest.domain, { quiesce: 'required' })).rejects.toMatchObject({
      code: 'QUIESCE_UNAVAILABLE',
      outcome: 'unchanged',
    });
    expect(await guest.domain.getXMLDesc()).toBe(before);
    const set = await snapshotDisks(guest.domain);
    expect(set).toMatchObject({ consistency: 'crash', frozenMs: 0 });
    expect(set.evidence.map(({ fact }) => fact).join()).toContain('not frozen');
    await set.delete();
  });
});

describe('with an agent', () => {
  let guest: TestGuest;
  beforeAll(async () => {
    guest = await TestGuest.boot({ disks: 2, restorable: false });
  });
  afterAll(() => guest.close());
  afterEach(() => hook('exit 0'));

  /** What the agent runs before it freezes and after it has thawed. */
  async function hook(script: string): Promise<void> {
    const text = `#!/bin/sh\n${script}\n`;
    await guest.exec(['sh', '-c', `cat >${FREEZE_HOOK} && chmod +x ${FREEZE_HOOK}`], { input: text });
  }
  const state = async () => ({
    disks: readDomain(await guest.domain.getXMLDesc()).disks.map((disk) => disk.xml),
    files: readdirSync(guest.directory).sort(),
    journal: await readJournal(guest.domain),
  });
  const frozen = async () =>
    (JSON.parse(await guest.domain.qemuAgentCommand('{"execute":"guest-fsfreeze-status"}', 10)) as { return: string })
      .return;

  test('that somebody else has frozen: preferred goes on and leaves it so, required is refused', async () => {
    await guest.domain.qemuAgentCommand('{"execute":"guest-fsfreeze-freeze"}', 10);
    try {
      await expect(snapshotDisks(guest.domain, { quiesce: 'required' })).rejects.toMatchObject({
        code: 'ALREADY_FROZEN',
        outcome: 'unchanged',
      });
      expect(await frozen()).toBe('frozen');
      const set = await snapshotDisks(guest.domain, { quiesce: 'preferred' });
      expect(await frozen()).toBe('frozen');
      expect(set).toMatchObject({ consistency: 'crash', frozenMs: 0 });
      await set.delete();
      expect(await frozen()).toBe('frozen');
    } finally {
      await guest.domain.qemuAgentCommand('{"execute":"guest-fsfreeze-thaw"}', 10);
    }
  });

  test.each(['required', 'preferred'] as const)(
    'that freezes too slowly: %s is undone, and the guest thawed',
    async (quiesce) => {
      const before = await state();
      await hook('[ "$1" = freeze ] && sleep 3; exit 0');
      const error: unknown = await snapshotDisks(guest.domain, { quiesce, maxFreezeMs: 500 }).catch((e) => e);
      expect(error).toBeInstanceOf(DiskSnapshotError);
      expect(error).toMatchObject({ code: 'FREEZE_BUDGET_EXCEEDED', outcome: 'undone' });
      expect(await frozen()).toBe('thawed');
      expect(await state()).toEqual(before);
    },
  );

  test.each(['required', 'preferred'] as const)(
    'that thaws too slowly: %s is merged back, though the cut was in time',
    async (quiesce) => {
      const before = await state();
      await hook('[ "$1" = thaw ] && sleep 3; exit 0');
      await expect(snapshotDisks(guest.domain, { quiesce, maxFreezeMs: 2000 })).rejects.toMatchObject({
        code: 'FREEZE_BUDGET_EXCEEDED',
        outcome: 'undone',
      });
      expect(await frozen()).toBe('thawed');
      expect(await state()).toEqual(before);
    },
  );

  test('whose hook refuses: required fails and is undone, the default goes on', async () => {
    const before = await state();
    await hook('[ "$1" = freeze ] && exit 1; exit 0');
    await expect(snapshotDisks(guest.domain, { quiesce: 'required' })).rejects.toMatchObject({
      code: 'QUIESCE_UNAVAILABLE',
      outcome: 'undone',
    });
    expect(await state()).toEqual(before);
    const set = await snapshotDisks(guest.domain);
    expect(set.consistency).toBe('crash');
    await set.delete();
    expect(await frozen()).toBe('thawed');
  });

  test('a cut that fails is undone: no disk has switched, no file is left, the guest is thawed', async () => {
    const before = await state();
    const attempt = snapshotDisks(guest.domain, {
      name: 'doomed',
      quiesce: 'required',
      onProgress: ({ phase }) => {
        const overlay = readdirSync(guest.directory).find((file) => file.includes('vdb.doomed'));
        if (phase === 'cut' && overlay) unlinkSync(join(guest.directory, overlay));
      },
    });
    await expect(attempt).rejects.toMatchObject({ name: 'DiskSnapshotError', outcome: 'undone' });
    expect(await state()).toEqual(before);
    expect(await frozen()).toBe('thawed');
  });

  test('a file that somebody makes at the last moment is neither overwritten nor removed', async () => {
    const before = await state();
    const path = (await planSnapshot(guest.domain, { name: 'raced', disks: ['vda'] })).disks[0]?.creates[0] ?? '';
    const attempt = snapshotDisks(guest.domain, {
      name: 'raced',
      disks: ['vda'],
      onProgress: ({ phase }) => {
        if (phase === 'prepare') writeFileSync(path, 'precious');
      },
    });
    await expect(attempt).rejects.toMatchObject({ code: 'FILE_EXISTS', outcome: 'undone' });
    expect(readFileSync(path, 'utf8')).toBe('precious');
    unlinkSync(path);
    expect(await state()).toEqual(before);
  });

  test('a link that leads nowhere is in the way like any other file', async () => {
    const link = join(guest.directory, 'dangling');
    symlinkSync('/nowhere/at/all', link);
    const before = await state();
    const disks = { vda: { method: 'qemu', source: link } };
    await expect(snapshotDisks(guest.domain, { disks })).rejects.toMatchObject({
      code: 'FILE_EXISTS',
      outcome: 'unchanged',
    });
    expect(await state()).toEqual(before);
    unlinkSync(link);
  });

  test('a held quiesce whose lease is over carries no snapshot', async () => {
    const before = await state();
    const held = await quiesceStorage(guest.domain, { maxFreezeMs: 300 });
    await untilAborted(held.signal);
    await expect(diskSnapshotCreate(guest.domain, 'vda', { quiesce: held })).rejects.toMatchObject({
      code: 'FREEZE_BUDGET_EXCEEDED',
    });
    expect(await held.unquiesce()).toMatchObject({ intact: false });
    expect(await state()).toEqual(before);
    expect(await frozen()).toBe('thawed');
  });
});
