// What an image holds inside, and what a domain has written down: before and after must be equal where a call failed.

import type { Domain } from '../../lib';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import { qemuImg } from '../guest/bare-domain';

/** Names of the snapshots in a qcow2 image, also while a guest writes to it. */
export async function snapshotsIn(image: string): Promise<string[]> {
  const info = JSON.parse(await qemuImg('info', '-U', '--output=json', image)) as { snapshots?: { name: string }[] };
  return (info.snapshots ?? []).map(({ name }) => name);
}

/** The domain's XML and records, and the domains beside it. */
export async function footprint(domain: Domain) {
  const domains = await domain.connection.listAllDomains();
  const names = domains.map((one) => one.getName()).sort();
  // libvirt leaves the element behind that held the first record.
  const xml = (await domain.getXMLDesc()).replace(/\s*<metadata\/>/, '');
  return { xml, journal: await readJournal(domain), names };
}
