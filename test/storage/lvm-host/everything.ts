// What snapshots could leave behind on an LVM host.
import type { Connection } from '../../../lib/libvirt';
import type { LvmHost } from './host';

/** Volumes, files, pools, domains. */
export async function everythingOn(host: LvmHost, connection: Connection): Promise<string[]> {
  const found = await host.run('sh', '-c', 'lvs --noheadings -o lv_name; find /images /btrfs -type f');
  const pools = (await connection.listAllStoragePools()).map((pool) => `pool ${pool.getName()}`);
  const domains = (await connection.listAllDomains()).map((domain) => `domain ${domain.getName()}`);
  return [...found.split(/\s+/), ...pools, ...domains].filter(Boolean).sort();
}
