// A guest whose agent does what the test says, for freezes of two file systems. Time is the test's.
import { afterEach, beforeEach, expect, jest } from '@jest/globals';
import { type FreezeOptions, freezeFilesystems } from '../../lib/disk-snapshot/freeze/freeze';
import { ScriptedGuest } from './scripted-agent';

export const FREEZE = 'guest-fsfreeze-freeze-list';
export const THAW = 'guest-fsfreeze-thaw';
export const STATUS = 'guest-fsfreeze-status';
export const filesystems = [
  { mountpoint: '/', fsType: 'ext4', disks: ['vda'] },
  { mountpoint: '/srv', fsType: 'xfs', disks: ['vdb'] },
];

/** Another one for each test of the file. */
export let guest: ScriptedGuest;

/** To be called once in a file. */
export function eachWithItsGuest(): void {
  beforeEach(() => {
    jest.useFakeTimers();
    guest = new ScriptedGuest();
  });
  afterEach(() => {
    // Whatever a test did, nobody is left frozen, and nothing of ours is left running.
    expect([...guest.frozen]).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });
}

export const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
export const freeze = (options: Partial<FreezeOptions> = {}) =>
  freezeFilesystems(guest.domain, filesystems, { maxFreezeMs: 10_000, ...options });
/** The outcome of a promise, which may reject while time passes. */
export const outcome = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);
