// The records in a domain's metadata: one element with its own URI per record, because a read-modify-write of one
// shared element loses the updates of others. Any host that manages the domain reads the same journal.
import { type Domain, DomainMetadataType, DomainModificationImpact } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { element, formatXml, textOf } from '../../xml/document';
import { type DomainDocument, type MetadataElement, readDomain } from '../../xml/domain';
import { NAMESPACE } from '../element/element';
import { type RecordKind, type Records, readRecord } from './record';

const PREFIX = 'ds';
const uriOf = (kind: RecordKind, id: string) => `${NAMESPACE}:${kind}:${id}`;

export interface Journal {
  sets: Records['set'][];
  intents: Records['intent'][];
  claims: Records['claim'][];
  /** Elements below our namespace that cannot be read: left alone, and shown by `diagnose`. */
  damaged: { uri: string; reason: string }[];
}

/**
 * Writes to both copies of a running persistent domain, or what is written is lost at shutdown. Of a guest that ends at this
 * moment one is left.
 */
async function writeCopies(
  domain: Domain,
  options: CallOptions,
  write: (live: number, config: number) => Promise<void>,
): Promise<void> {
  const [active, persistent] = await Promise.all([domain.isActive(options), domain.isPersistent(options)]);
  const live = active ? DomainModificationImpact.LIVE : 0;
  const config = persistent ? DomainModificationImpact.CONFIG : 0;
  try {
    await write(live, config);
  } catch (error) {
    const hasEnded = active && persistent && (await domain.isActive(options).catch(() => true)) === false;
    if (!hasEnded) throw error;
    await write(0, config);
  }
}

export async function readJournal(domain: Domain, options: CallOptions = {}): Promise<Journal> {
  return journalOf(readDomain(await domain.getXMLDesc(options)));
}

/** The same from XML that was read already. */
export function journalOf(document: DomainDocument): Journal {
  const journal: Journal = { sets: [], intents: [], claims: [], damaged: [] };
  const take = <K extends RecordKind>(kind: K, uri: string, text: string, into: Records[K][]) => {
    const record = readRecord(kind, text);
    if (typeof record === 'string') journal.damaged.push({ uri, reason: record });
    else if (uriOf(kind, record.id) !== uri) journal.damaged.push({ uri, reason: `its id is ${record.id}` });
    else into.push(record);
  };
  for (const { uri, element: found } of document.metadata) {
    if (!uri.startsWith(`${NAMESPACE}:`)) continue;
    const kind = uri.slice(NAMESPACE.length + 1).split(':')[0];
    if (kind === 'set') take(kind, uri, textOf(found), journal.sets);
    else if (kind === 'intent') take(kind, uri, textOf(found), journal.intents);
    else if (kind === 'claim') take(kind, uri, textOf(found), journal.claims);
  }
  journal.sets.sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt) || (a.name < b.name ? -1 : 1));
  return journal;
}

/** Writes or overwrites one record. virDomainSetMetadata. */
export async function writeRecord<K extends RecordKind>(
  domain: Domain,
  kind: K,
  record: Records[K],
  options: CallOptions = {},
): Promise<void> {
  await writeCopies(domain, options, (live, config) => setMetadata(domain, kind, record, live | config, options));
}

/** Writes or overwrites an intent, which says of which boot of the guest it is in the live copy alone. */
export async function writeIntent(domain: Domain, intent: Records['intent'], options: CallOptions = {}): Promise<void> {
  await writeCopies(domain, options, async (live, config) => {
    if (config) await setMetadata(domain, 'intent', { ...intent, domainId: null }, config, options);
    if (live) await setMetadata(domain, 'intent', intent, live, options);
  });
}

/** A record of the running guest as its definition has it. */
export function lastingRecord({ uri, element: found }: MetadataElement): MetadataElement {
  const intent = uri.startsWith(`${NAMESPACE}:intent:`) ? readRecord('intent', textOf(found)) : 'none';
  if (typeof intent === 'string') return { uri, element: found };
  return { uri, element: element(found.name, found.attributes, jsonOf({ ...intent, domainId: null })) };
}

/** The two characters that JSON writes as they are, and XML cannot hold. */
function jsonOf(record: unknown): string {
  return JSON.stringify(record).replace(/[\uFFFE\uFFFF]/g, (one) => `\\u${one.charCodeAt(0).toString(16)}`);
}

/** Removes one record; one that is not there is removed already. */
export async function removeRecord(
  domain: Domain,
  kind: RecordKind,
  id: string,
  options: CallOptions = {},
): Promise<void> {
  await writeCopies(domain, options, (live, config) => setXml(domain, null, uriOf(kind, id), live | config, options));
}

function setMetadata(
  domain: Domain,
  kind: RecordKind,
  record: Records[RecordKind],
  flags: number,
  options: CallOptions,
): Promise<void> {
  const xml = formatXml(element(kind, {}, jsonOf(record)));
  return setXml(domain, xml, uriOf(kind, record.id), flags, options);
}

function setXml(domain: Domain, xml: string | null, uri: string, flags: number, options: CallOptions): Promise<void> {
  return domain.setMetadata(DomainMetadataType.ELEMENT, xml, PREFIX, uri, { flags, ...options });
}
