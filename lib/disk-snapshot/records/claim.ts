// One operation per domain at a time, across processes and hosts. A claim is a record of its own in the domain's
// metadata: whoever writes one reads all of them afterwards, so of two that meet, both see it and withdraw.
import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Domain } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { DiskSnapshotError } from '../errors';
import { faultPoint } from '../fault-point';
import { readJournal, removeRecord, writeRecord } from './journal';
import { lifeOf, thisProcess } from './process';
import type { ClaimRecord } from './record';

/** How long a claim holds without being renewed. Long enough for a stuck process to come back. */
const LEASE_MS = 60_000;
const RENEW_MS = 15_000;
const TRIES = 6;
/** For writing and removing it: a guest whose QEMU hangs holds nobody up. What was given up still arrives, if anything does. */
const CALL = { timeoutMs: 10_000 };

export interface Claim {
  readonly id: string;
  /**
   * To be called before what cannot be taken back.
   *
   * @throws DiskSnapshotError OPERATION_IN_PROGRESS where it was not renewed for so long that another may have taken over
   */
  check(): void;
}

/** Claims of ours that could not be removed, because the connection had ended: nobody is at work under them any more. */
const abandoned = new Set<string>();

/** Whether the owner of a claim is known to be gone. */
export function isStale(claim: ClaimRecord, now = Date.now()): boolean {
  if (abandoned.has(claim.id)) return true;
  if (Date.parse(claim.expiresAt) + LEASE_MS < now) return true; // a further lease, for clocks that disagree
  return lifeOf(claim) === 'gone';
}

/**
 * Runs `work` as the only operation on the domain.
 *
 * @throws DiskSnapshotError OPERATION_IN_PROGRESS where a living owner is at work.
 */
export async function withClaim<T>(
  domain: Domain,
  what: string,
  options: CallOptions,
  work: (claim: Claim) => Promise<T>,
): Promise<T> {
  const id = randomUUID();
  let renewedAt = Date.now();
  const claim = (): ClaimRecord => ({
    version: 1,
    id,
    what,
    ...thisProcess(),
    expiresAt: new Date(Date.now() + LEASE_MS).toISOString(),
  });
  await acquire(domain, id, claim, options);
  await faultPoint('claim.written');
  // A renewal that fails is not an error of the operation: the lease outlasts three of them.
  let renewing: Promise<void> | undefined;
  const renew = async () => {
    const now = Date.now();
    await writeRecord(domain, 'claim', claim(), CALL);
    renewedAt = now;
  };
  const renewal = setInterval(() => {
    renewing = renew().catch(() => undefined);
  }, RENEW_MS).unref();
  const check = () => {
    if (Date.now() - renewedAt < LEASE_MS) return;
    throw outlived(domain, what);
  };
  try {
    return await work({ id, check });
  } finally {
    clearInterval(renewal);
    await renewing; // or it could arrive after the removal
    // Where this fails the domain or the connection is gone, which `work` has met already; the lease ends the claim.
    await removeRecord(domain, 'claim', id, CALL).catch(() => abandoned.add(id));
    await faultPoint('claim.removed');
  }
}

/** By the clock on the wall, which goes on while the host sleeps. */
function outlived(domain: Domain, what: string): DiskSnapshotError {
  const guest = domain.getName();
  return new DiskSnapshotError(
    'OPERATION_IN_PROGRESS',
    `${guest}: this process stood still for so long, or could not reach the host, that its claim on the domain has expired ` +
      `(${what}), and another may be at work on it. Nothing that cannot be taken back was done; try again`,
    { guest },
  );
}

async function acquire(domain: Domain, id: string, claim: () => ClaimRecord, options: CallOptions): Promise<void> {
  /** A living owner other than us; stale claims are swept on the way. */
  const findOther = async (): Promise<ClaimRecord | undefined> => {
    const others = (await readJournal(domain, options)).claims.filter((c) => c.id !== id);
    const stale = others.filter((c) => isStale(c));
    for (const c of stale) await removeRecord(domain, 'claim', c.id, options);
    return others.find((c) => !stale.includes(c));
  };
  for (let attempt = 1; ; attempt++) {
    const owner = await findOther();
    if (owner) throw inProgress(domain, owner);
    try {
      await writeRecord(domain, 'claim', claim(), options);
      const rival = await findOther();
      if (!rival) return;
      if (attempt === TRIES) throw inProgress(domain, rival);
    } catch (error) {
      abandoned.add(id); // a write that was given up may still arrive
      await removeRecord(domain, 'claim', id).catch(() => undefined); // the first error is the one to tell
      throw error;
    }
    await removeRecord(domain, 'claim', id, options);
    await delay(randomInt(5, 20 * attempt), undefined, options.signal ? { signal: options.signal } : {});
  }
}

function inProgress(domain: Domain, owner: ClaimRecord): DiskSnapshotError {
  const guest = domain.getName();
  return new DiskSnapshotError(
    'OPERATION_IN_PROGRESS',
    `${guest}: process ${owner.pid} on ${owner.host} is at work on this domain (${owner.what}). ` +
      'Try again when it has ended; the claim of a process that died is recognised by itself.',
    { guest },
  );
}
