// This machine where its kernel has device-mapper, else a virtual one.
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { run } from '../../../lib/testing/command';
import type { LvmHost } from './host';
import { LocalHost } from './local-host';
import { VirtualHost } from './virtual-host';

/** What LVM makes snapshots and thin volumes of. */
const TARGETS = ['snapshot', 'thin-pool'];

export async function startLvmHost(): Promise<LvmHost> {
  return (await hasDeviceMapper()) ? LocalHost.start() : VirtualHost.boot();
}

async function hasDeviceMapper(): Promise<boolean> {
  try {
    await access('/dev/mapper/control', constants.R_OK | constants.W_OK);
    // In a container it fails, and the modules may be there all the same.
    await run('modprobe', ['--all', 'dm_snapshot', 'dm_thin_pool']).catch(() => {});
    await run('dmsetup', ['version']);
    const { stdout } = await run('dmsetup', ['targets']);
    const names = stdout.split('\n').map((line) => line.split(/\s/)[0]);
    return TARGETS.every((target) => names.includes(target));
  } catch {
    return false;
  }
}
