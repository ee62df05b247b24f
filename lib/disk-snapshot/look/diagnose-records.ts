// Checks of what is written in the domain's metadata, and of the freeze that a record may speak of.
import { DomainMetadataType, DomainModificationImpact, DomainXMLFlags } from '../../libvirt';
import { element, formatXml, localName, textOf, type XmlElement } from '../../xml/document';
import { type DomainDocument, readDomain } from '../../xml/domain';
import { NAMESPACE } from '../element/element';
import { policiesOf, policyOf } from '../element/policy-metadata';
import { DiskSnapshotError } from '../errors';
import { AgentError, askAgent } from '../freeze/agent';
import { listDiskSnapshots } from '../list';
import { isStale, withClaim } from '../records/claim';
import { lastingRecord, removeRecord } from '../records/journal';
import { type IntentRecord, qemuStateOf } from '../records/record';
import { recoverDiskSnapshots } from '../recover';
import { isOfThisBoot } from '../recover/discard';
import type { Recovery } from '../types';
import type { Case, Check, Found } from './diagnosis';

export const staleClaims: Check = async ({ guest, journal, call }) =>
  journal.claims
    .filter((claim) => isStale(claim))
    .map(({ id, pid, host, what }) => ({
      code: 'STALE_CLAIM',
      message: `process ${pid} on ${host} claimed the domain (${what}) and is gone`,
      fix: async () => {
        await removeRecord(guest.domain, 'claim', id, call);
        return true;
      },
    }));

export const damagedRecords: Check = async ({ journal }) =>
  journal.damaged.map(({ uri, reason }) => ({
    code: 'DAMAGED_RECORD',
    message: `the record ${uri} cannot be read: ${reason}`,
  }));

export const unreadablePolicies: Check = async ({ guest: { document } }) => {
  const known = document.disks.filter(({ target }) => policiesOf(document).has(target));
  return known.flatMap(({ target }): Found[] => {
    try {
      policyOf(document, target);
      return [];
    } catch (error) {
      if (!(error instanceof DiskSnapshotError)) throw error;
      return [
        { code: 'UNREADABLE_POLICY', disk: target, message: `its own <diskSnapshot> is not valid: ${error.message}` },
      ];
    }
  });
};

// ---- two copies -------------------------------------------------------------------------------------------------------

/** Sets and intents by URI, as they last: what a guest must not forget when it stops. */
function recordsIn(document: DomainDocument): Map<string, XmlElement> {
  const kept = [`${NAMESPACE}:set:`, `${NAMESPACE}:intent:`];
  const found = document.metadata.filter(({ uri }) => kept.some((prefix) => uri.startsWith(prefix))).map(lastingRecord);
  return new Map(found.map(({ uri, element: record }) => [uri, record]));
}

/** Records that the running guest has and its definition lacks, or has otherwise. */
function lostIn(definition: DomainDocument, live: DomainDocument): [string, XmlElement][] {
  const there = recordsIn(definition);
  return [...recordsIn(live)].filter(([uri, record]) => textOf(there.get(uri)) !== textOf(record));
}

export const erasedRecords: Check = async ({ guest, definition, owner, call }) => {
  if (!definition || owner) return [];
  const lost = lostIn(definition, guest.document).map(([uri]) => uri);
  const here = recordsIn(guest.document);
  const extra = [...recordsIn(definition).keys()].filter((uri) => !here.has(uri));
  const found: Found[] = [];
  if (lost.length > 0) {
    const message = `the running guest knows records that its definition has lost: ${lost.join(', ')}`;
    found.push({ code: 'ERASED_RECORDS', message, fix: () => copyRecords({ guest, call }) });
  }
  if (extra.length > 0) {
    const message = `the definition holds records that the running guest does not know: ${extra.join(', ')}`;
    found.push({ code: 'RECORDS_DIFFER', message });
  }
  return found;
};

/** From the running guest into its definition; looked at anew, as the only operation on the domain. */
function copyRecords({ guest: { domain }, call }: Pick<Case, 'guest' | 'call'>): Promise<boolean> {
  return withClaim(domain, 'diagnose', call, async () => {
    const live = readDomain(await domain.getXMLDesc(call));
    const definition = readDomain(await domain.getXMLDesc({ ...call, flags: DomainXMLFlags.INACTIVE }));
    for (const [uri, record] of lostIn(definition, live)) {
      const xml = formatXml(element(localName(record), {}, textOf(record)));
      await domain.setMetadata(DomainMetadataType.ELEMENT, xml, 'ds', uri, DomainModificationImpact.CONFIG);
    }
    return true;
  });
}

// ---- what was begun and not ended -------------------------------------------------------------------------------------------

/** One recovery for all findings that it may mend. */
const recoveries = new WeakMap<Case, Promise<Recovery>>();
function recover(look: Case): Promise<Recovery> {
  const running = recoveries.get(look) ?? recoverDiskSnapshots(look.guest.domain, look.call);
  recoveries.set(look, running);
  return running;
}

function staleIntentsOf({ journal, owner }: Case): IntentRecord[] {
  return journal.intents.filter(({ claim }) => claim !== owner?.id);
}

export const staleIntents: Check = async (look) =>
  staleIntentsOf(look).map(({ set: { name } }) => ({
    code: 'STALE_INTENT',
    message: `the snapshot ${name} was begun by a process that is gone`,
    fix: async () => {
      const { finished, undone } = await recover(look);
      return [...finished, ...undone].includes(name);
    },
  }));

const QUESTION_MS = 5_000;
/** Agents that cannot be asked, and so cannot have been told to freeze by us. */
const MUTE: ReadonlySet<string> = new Set(['no-channel', 'disabled', 'unsupported', 'not-running']);

export const frozenGuest: Check = async (look) => {
  const { guest, owner, call } = look;
  if (!guest.active || guest.paused || owner || guest.document.agentConnected !== true) return [];
  try {
    const limits = { limitMs: QUESTION_MS, timeoutMs: QUESTION_MS, signal: call.signal };
    if ((await askAgent(guest.domain, 'guest-fsfreeze-status', limits)) !== 'frozen') return [];
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    if (MUTE.has(error.failure)) return [];
    return [{ code: 'NOT_EXAMINED', message: `whether the guest is frozen, its agent does not say: ${error.message}` }];
  }
  const isOurs = staleIntentsOf(look).some((intent) => intent.willFreeze && isOfThisBoot(guest, intent));
  return [
    isOurs
      ? {
          code: 'GUEST_FROZEN',
          message: 'the guest is frozen, by a process that died while it took a snapshot',
          fix: async () => (await recover(look)).thawed,
        }
      : { code: 'GUEST_FROZEN', message: 'the guest is frozen, by somebody at work or by a freeze that nobody ended' },
  ];
};

// ---- snapshots that are no longer what they were ------------------------------------------------------------------------------

export const lostSnapshots: Check = async ({ guest, journal, owner, call }) => {
  if (owner) return [];
  const deleting = new Set(
    journal.sets.flatMap((set) =>
      set.disks.filter((record) => qemuStateOf(record)?.deleting).map(({ disk }) => `${set.name}\n${disk}`),
    ),
  );
  const snapshots = (await listDiskSnapshots(guest.domain, call)).flatMap(({ disks }) => disks);
  return snapshots
    .filter(({ state }) => state === 'missing')
    .map(({ name, disk }): Found => {
      return deleting.has(`${name}\n${disk}`)
        ? {
            code: 'UNFINISHED_MERGE',
            disk,
            message: `the snapshot ${name} began to be deleted: its point in time is gone`,
          }
        : { code: 'MISSING_SNAPSHOT', disk, message: `what the snapshot ${name} rested on is not there any more` };
    });
};
