// Holds records, XML, QEMU, image headers and the guest's freeze against each other, and says what does not agree.
import { type Domain, DomainXMLFlags } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { readDomain } from '../../xml/domain';
import { invalidType } from '../argument';
import { DiskSnapshotError } from '../errors';
import { facade, translate } from '../facade';
import { lookAtGuest } from '../guest';
import { ImageFiles } from '../images/image-files';
import { type ImageUsers, imageUsers } from '../images/users';
import { tell } from '../progress';
import { isStale } from '../records/claim';
import { journalOf } from '../records/journal';
import type { Finding, OperationOptions } from '../types';
import { disks } from './diagnose-disks';
import { leftCopies } from './diagnose-readers';
import {
  damagedRecords,
  erasedRecords,
  frozenGuest,
  lostSnapshots,
  staleClaims,
  staleIntents,
  unreadablePolicies,
} from './diagnose-records';
import { ADVICE, type Case, type Check, type Found } from './diagnosis';

/** In the order in which fixes build on each other: what is recorded first, then what the records speak of. */
const CHECKS: readonly Check[] = [
  damagedRecords,
  unreadablePolicies,
  staleClaims,
  erasedRecords,
  staleIntents,
  frozenGuest,
  disks,
  lostSnapshots,
  leftCopies,
];

/**
 * What is wrong with a domain's disks and snapshots; an empty list: nothing that could be found. A finding is no error:
 * this rejects only where the domain cannot be looked at at all.
 *
 * With `fix`, what is safe is mended, and no image is touched but overlays that an interrupted snapshot made and nobody
 * used, and copies that a killed reader left: claims of processes that are gone are removed, records that a foreign
 * redefinition erased are copied back from the running guest, and what was begun is finished or undone, as by
 * `recoverDiskSnapshots`. The codes, with their advice,
 * are the keys of `ADVICE` in diagnosis.ts; what a living process is at work on is no finding.
 *
 * @throws DiskSnapshotError NOT_FOUND where the domain is gone; CONNECTION_LOST
 * @example
 * for (const { code, disk, message, advice } of await diagnose(dom)) console.log(code, disk ?? '', message, advice);
 */
export function diagnose(dom: Domain, options: OperationOptions & { fix?: boolean } = {}): Promise<readonly Finding[]> {
  return facade(dom, options, 'diagnose', async ({ fix = false, signal, onProgress }) => {
    if (typeof fix !== 'boolean') throw invalidType('options.fix', 'a boolean', fix);
    const call = signal ? { signal } : {};
    const files = new ImageFiles(dom.connection, call);
    try {
      const look = await caseOf(dom, files, call);
      const found: Found[] = [];
      for (const [done, check] of CHECKS.entries()) {
        tell(onProgress, { phase: 'verify', done, total: CHECKS.length });
        found.push(...(await attempt(look, check)));
      }
      const findings: Finding[] = [];
      for (const one of found) findings.push(await settle(look, one, fix));
      return findings;
    } finally {
      await files.close();
    }
  });
}

async function caseOf(domain: Domain, files: ImageFiles, call: CallOptions): Promise<Case> {
  const guest = await lookAtGuest(domain, call);
  const isTwofold = guest.active && (await domain.isPersistent(call));
  const inactive = { ...call, flags: DomainXMLFlags.INACTIVE };
  const journal = journalOf(guest.document);
  let users: Promise<ImageUsers> | undefined;
  return {
    guest,
    definition: isTwofold ? readDomain(await domain.getXMLDesc(inactive)) : null,
    journal,
    owner: journal.claims.find((claim) => !isStale(claim)) ?? null,
    files,
    users: () => {
      users ??= imageUsers(domain.connection, call);
      return users;
    },
    call,
  };
}

/** A check that cannot be made is a finding itself, unless nothing can be asked any more. */
async function attempt(look: Case, check: Check): Promise<Found[]> {
  try {
    return await check(look);
  } catch (error) {
    return [{ code: 'NOT_EXAMINED', message: reasonOf(look, error) }];
  }
}

async function settle(look: Case, { fix: mend, ...found }: Found, fix: boolean): Promise<Finding> {
  const finding = { ...found, message: `${look.guest.name}: ${found.message}`, advice: ADVICE[found.code] };
  if (!mend || !fix) return { ...finding, fixable: mend !== undefined, fixed: false };
  try {
    return { ...finding, fixable: true, fixed: await mend() };
  } catch (error) {
    return {
      ...finding,
      message: `${finding.message} (not fixed: ${reasonOf(look, error)})`,
      fixable: true,
      fixed: false,
    };
  }
}

/** @throws the error, where it ends the whole: an abort, a lost connection, a domain that is gone, a mistake of ours */
function reasonOf(look: Case, error: unknown): string {
  const told = translate(error, { guest: look.guest.name });
  if (!(told instanceof DiskSnapshotError)) throw told;
  if (told.code === 'CONNECTION_LOST' || told.code === 'NOT_FOUND') throw told;
  return told.message;
}
