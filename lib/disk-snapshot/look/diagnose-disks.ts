// Checks of the disks: what QEMU, the two definitions and the images' headers say of each chain, held against each other.
import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { DomainDisk } from '../../xml/domain';
import { DiskSnapshotError } from '../errors';
import { type Chain, positionOf } from '../images/backing-chain';
import { diskChain } from '../images/disk-chain';
import { isLocal } from '../images/images-for';
import { jobOn } from '../merge/block-job';
import { qemuStateOf } from '../records/record';
import type { Case, Check, Found } from './diagnosis';

type DiskCheck = (look: Case, disk: DomainDisk, chain: Chain) => Promise<Found[]>;

/** All that is asked of each disk that holds an image. */
export const disks: Check = async (look) => {
  const found: Found[] = [];
  for (const disk of look.guest.document.disks.filter(({ source }) => source !== null)) {
    found.push(...(await brokenHeaders(look, disk)));
    const chain = await diskChain(look.guest, disk.target, look.call).catch((error: unknown) => {
      if (!(error instanceof DiskSnapshotError) || error.code === 'CONNECTION_LOST') throw error;
      // Where a header says why, that is the finding.
      if (found.length === 0) found.push({ code: 'UNREADABLE_CHAIN', disk: disk.target, message: error.message });
      return null;
    });
    for (const check of chain ? DISK_CHECKS : []) found.push(...(await check(look, disk, chain ?? [])));
  }
  return found;
};

/** From the image that the XML names downwards: what a guest that starts now will find. */
async function brokenHeaders(
  { files, guest }: Case,
  { target: disk, sourcePath, format }: DomainDisk,
): Promise<Found[]> {
  const found: Found[] = [];
  const seen = new Set<string>();
  let upper: string | null = null;
  let next = sourcePath === null ? null : { path: sourcePath, format: format ?? 'raw' };
  while (next && !seen.has(next.path)) {
    const { path, format: taken }: { path: string; format: string } = next;
    seen.add(path);
    const look = await files.look(path, taken);
    if (look.kind === 'absent') {
      const open = guest.active ? ', though the guest may have it open' : '';
      found.push({ code: 'MISSING_FILE', disk, message: `${path} is not there${open}` });
    }
    if (look.kind === 'unseen' && upper !== null && /not in .* format/i.test(look.why)) {
      const message = `the header of ${upper} says that ${path} is ${taken}, which it is not`;
      found.push({ code: 'WRONG_BACKING_FORMAT', disk, message });
    }
    const below = look.kind === 'image' ? look.info.backing : null;
    if (below && below.format === null) {
      const message = `the header of ${path} does not say of which format ${below.path} is: libvirt refuses it, or takes it for raw`;
      found.push({ code: 'WRONG_BACKING_FORMAT', disk, message });
    }
    upper = path;
    // Not to be found out by looking: what a guest wrote into a raw image would be believed.
    next = below && below.format !== null ? { path: below.path, format: below.format } : null;
  }
  return found;
}

const recordedFormats: DiskCheck = async ({ journal }, { target: disk }, chain) =>
  journal.sets.flatMap((set) =>
    set.disks.flatMap((record): Found[] => {
      const base = record.disk === disk ? qemuStateOf(record)?.base : undefined;
      const layer = base && chain.find(({ path }) => path === base.path);
      if (!base || !layer || layer.missing || layer.format === base.format) return [];
      const message = `${base.path} is ${base.format} by the record of snapshot ${set.name}, but is used as ${layer.format}`;
      return [{ code: 'WRONG_BACKING_FORMAT', disk, message }];
    }),
  );

const blockJob: DiskCheck = async ({ guest, owner, call }, { target: disk, hasMirror }) => {
  if (!guest.active || owner) return [];
  const job = await jobOn(guest.domain, disk, call);
  if (job === null && !hasMirror) return [];
  const progress = job ? `, at ${job.cur} of ${job.end}` : '';
  return [{ code: 'UNFINISHED_BLOCK_JOB', disk, message: `a block job on it has not ended${progress}` }];
};

const namedImages: DiskCheck = async ({ guest, definition, owner }, { target: disk, sourcePath }, chain) => {
  const active = chain[0]?.path ?? null;
  if (!guest.active || owner || active === null) return [];
  const found: Found[] = [];
  if (sourcePath !== null && sourcePath !== active) {
    const message = `QEMU writes to ${active}, but the XML of the running guest says ${sourcePath}`;
    found.push({ code: 'XML_BEHIND_QEMU', disk, message });
  }
  const defined = definition?.disks.find(({ target }) => target === disk)?.sourcePath ?? null;
  if (defined !== null && positionOf(chain, defined) > 0) {
    const message = `the guest writes to ${active}, but will start from ${defined}, which lies below it`;
    found.push({ code: 'DEFINITION_BEHIND', disk, message });
  }
  return found;
};

/** Files that are named like layers of this disk and rest on its images, and that nothing needs. */
const orphans: DiskCheck = async ({ guest, journal, owner, files, users, call }, { target: disk }, chain) => {
  if (owner || !(await isLocal(guest.domain.connection, call))) return [];
  const recorded = journal.sets.flatMap((set) => set.disks.flatMap((record) => qemuStateOf(record)?.base.path ?? []));
  const known = new Set([...chain.map(({ path }) => path), ...recorded].filter((path) => path !== null));
  // Whatever method a record is of, it names its files in its state.
  const states = JSON.stringify([...journal.sets, ...journal.intents].map((record) => record.disks));
  const found: Found[] = [];
  for (const path of await namedAlike(chain)) {
    if (known.has(path) || states.includes(JSON.stringify(path))) continue;
    const { users: all, sameFile } = await users();
    const file = await sameFile(path);
    if (all.some(({ paths, unseen }) => unseen !== null || paths.has(file))) continue;
    const look = await files.look(path, 'qcow2'); // what overlays are; anything else is none
    const below = look.kind === 'image' ? look.info.backing?.path : undefined;
    if (below === undefined || !known.has(below)) continue;
    const message = `${path} is an overlay over ${below} that no guest and no snapshot needs`;
    found.push({ code: 'ORPHANED_OVERLAY', disk, message });
  }
  return found;
};

async function namedAlike(chain: Chain): Promise<string[]> {
  const found = new Set<string>();
  for (const { path } of chain) {
    if (path === null || path.startsWith('/dev/')) continue;
    const stem = basename(path, extname(path));
    // A folder that we cannot list hides its orphans, and nothing else.
    const names = await readdir(dirname(path)).catch((): string[] => []);
    for (const name of names) if (name.startsWith(`${stem}.`)) found.add(join(dirname(path), name));
  }
  return [...found].sort();
}

const DISK_CHECKS: readonly DiskCheck[] = [recordedFormats, blockJob, namedImages, orphans];
