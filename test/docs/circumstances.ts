/** What samples of code need beside the guest web1 and its daemon; and what is set apart, with the reason. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Connection, listDiskSnapshots, updateDisk } from '../../lib';
import type { PrivateLibvirtd, TestGuest } from '../../lib/testing';
import { pathSource, redefineDisk } from '../../lib/xml/domain';
import { BareDomain, qemuImg } from '../guest/bare-domain';
import type { Sample } from './samples';

/** Where samples are run. */
export interface World {
  daemon: PrivateLibvirtd;
  connection: Connection;
  /** web1. */
  guest: TestGuest;
  /** For files, and for what stands for other machines' folders. */
  folder: string;
}

/** Names that stand for a reader's own, and what has their place here. */
export const namesIn = ({ daemon, guest, folder }: World): Readonly<Record<string, string>> => ({
  'qemu:///system': daemon.uri,
  'qemu+ssh://admin@host/system': daemon.uri,
  'qemu+ssh://host/system': daemon.uri,
  '/var/lib/libvirt/images/web1.qcow2': guest.image('vda'),
  '/backup/': `${folder}/`,
  '/srv/array': join(folder, 'array'),
});

export interface Circumstance {
  /** The file, or whose docstring; and where that has several samples, what this one alone holds. */
  in: string;
  holds?: string;
  /** Why it is neither compiled nor run. */
  apart?: string;
  /** The test that runs it, since it is of a daemon that ends. It is compiled with the others. */
  runBy?: string;
  before?: (world: World) => Promise<unknown>;
  after?: (world: World) => Promise<unknown>;
  /** More names, as in `namesIn`. */
  names?: Readonly<Record<string, string>>;
  /** Code that follows it, and uses what it exports. */
  followedBy?: string;
  /** It listens for ever: the guest is paused and resumed until it prints something, and then it is ended. */
  endless?: true;
}

const deleteAll = async ({ guest }: World) => {
  for (const set of await listDiskSnapshots(guest.domain)) await set.delete();
};

const poolOfImages = {
  before: ({ daemon, guest }: World) => daemon.virsh('pool-create-as', 'images', 'dir', '--target', guest.directory),
  after: ({ daemon }: World) => daemon.virsh('pool-destroy', 'images'),
};

/** An overlay of virsh's on vda. */
const overlayOfVirsh = ({ daemon }: World) =>
  daemon.virsh(
    ...['snapshot-create-as', 'web1', 'old', '--disk-only', '--no-metadata', '--diskspec', 'vdb,snapshot=no'],
  );

const ARRAY = 'in-array';
/** A guest whose vdb is volume 17 of an array. */
async function guestOnArray({ connection, folder }: World): Promise<void> {
  const array = join(folder, 'array');
  mkdirSync(array);
  writeFileSync(join(array, 'array.json'), '{}');
  const volume = join(array, '17.img');
  await qemuImg('create', '-q', '-f', 'qcow2', volume, '64M');
  const { domain } = await BareDomain.define(connection, join(folder, ARRAY), { disks: 2 });
  const disk = { type: 'file', source: pathSource('file', volume), format: 'qcow2' } as const;
  await connection.domainDefineXML(redefineDisk(await domain.getXMLDesc(), 'vdb', disk));
}
async function removeGuestOnArray({ connection }: World): Promise<void> {
  await (await connection.domainLookupByName(ARRAY)).undefine();
}

/** An array of one volume, whose method registers itself with the sample's help. */
const WITH_AN_ARRAY = `
import { connect, snapshotDisks } from 'libvirt-disksnapshot';
const kept = new Set<string>();
const name = (volume: string, snapshot: string) => volume + '@' + snapshot;
register({
  snapshot: async (...names) => { kept.add(name(...names)); },
  remove: async (...names) => { kept.delete(name(...names)); },
  has: async (...names) => kept.has(name(...names)),
  rollback: async () => {},
});
const conn = await connect('qemu:///system');
const dom = await conn.domainLookupByName('web1');
const set = await snapshotDisks(dom, {
  name: 'first',
  disks: { vda: "<diskSnapshot method='acme'><volume id='17'/></diskSnapshot>" },
  quiesce: 'required',
});
const taken = [...kept];
await set.delete();
await conn.close();
if (taken.join() !== '17@first' || kept.size > 0) throw new Error(taken.join() + ' was taken');
`;

export const CIRCUMSTANCES: readonly Circumstance[] = [
  { in: 'docs/libvirt-binding.md', holds: 'createHash', ...poolOfImages },
  { in: 'docs/migrating.md', holds: 'adoptDiskSnapshots', before: overlayOfVirsh, after: deleteAll },
  { in: 'docs/writing-a-method.md', followedBy: WITH_AN_ARRAY },
  {
    in: 'examples/vendor-array/README.md',
    names: { web1: ARRAY },
    before: guestOnArray,
    after: removeGuestOnArray,
  },
  { in: '@example of adoptDiskSnapshots', before: overlayOfVirsh },
  { in: '@example of defineDomain', after: ({ daemon }) => daemon.virsh('undefine', 'web2') },
  { in: '@example of diskSnapshotCreate', after: deleteAll },
  { in: '@example of DiskSnapshotError', after: deleteAll },
  { in: '@example of Stream', ...poolOfImages },
  { in: '@example of Connection.subscribe', endless: true },
  { in: 'docs/libvirt-binding.md', holds: "'disconnected:'", runBy: 'test/lifecycle/reconnect.test.ts' },
  {
    in: '@example of updateDisk',
    after: ({ guest }) => updateDisk(guest.domain, "<disk><target dev='vda'/></disk>", { live: true, config: true }),
  },
  {
    in: 'CONTRIBUTING.md',
    holds: 'installFaultHook',
    apart: 'of this repository, not of the package; test/faults/ does it at every point',
  },
];

const isOf = (sample: Sample, { in: place, holds = '' }: Circumstance) =>
  (sample.where === place || sample.where.startsWith(`${place}:`)) && sample.text.includes(holds);

export const circumstanceOf = (sample: Sample): Circumstance | undefined =>
  CIRCUMSTANCES.find((one) => isOf(sample, one));

/** How many samples each is about: more or fewer than one, and it is wrong. */
export const samplesOf = (one: Circumstance, all: readonly Sample[]): number =>
  all.filter((each) => isOf(each, one)).length;
