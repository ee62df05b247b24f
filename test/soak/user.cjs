// A process of a user: works for one guest, as its parent says, connects again when its connection ends, and may be killed.
const { readdirSync, readlinkSync } = require('node:fs');
const { stat } = require('node:fs/promises');
const { setTimeout: delay } = require('node:timers/promises');
const {
  connect,
  diagnose,
  listDiskSnapshots,
  quiesceStorage,
  recoverDiskSnapshots,
  snapshotDisks,
} = require('../../dist');

const [uri, guest, allocator] = process.argv.slice(2);
const { allocated, leak } = require(allocator);
/** More than that, and a snapshot is deleted instead of made. */
const MOST_SETS = 5;

let connection = null;
const kept = [];

async function domain() {
  if (connection === null) {
    const opened = await connect(uri);
    connection = opened;
    opened.closed.then(() => {
      if (connection === opened) connection = null;
      return opened.close();
    });
  }
  return connection.domainLookupByName(guest);
}

const at = (list, index) => list[index % list.length];

const operations = {
  async create(dom, { name, disks, quiesce, instead }, call) {
    const sets = await listDiskSnapshots(dom);
    if (sets.length >= MOST_SETS) return operations.delete(dom, { which: instead, part: null }, call);
    const set = await snapshotDisks(dom, { name, disks, quiesce, ...call });
    return `${name}: ${set.consistency}, ${Math.round(set.frozenMs)} ms`;
  },
  async delete(dom, { which, part }, call) {
    const set = at(await listDiskSnapshots(dom), which);
    if (set === undefined) return 'nothing to delete';
    const disk = part === null ? null : at(set.disks, part);
    // Told before, as with a revert: from now on it may be missing.
    process.send({ deletes: (disk === null ? set.disks : [disk]).map((one) => `${set.name}/${one.disk}`) });
    await (disk ?? set).delete(call);
    return `${set.name}${disk === null ? '' : `/${disk.disk}`} deleted`;
  },
  async revert(dom, { which, part }, call) {
    const set = at(await listDiskSnapshots(dom), which);
    if (set === undefined) return 'nothing to revert to';
    const disk = part === null ? null : at(set.disks, part);
    // Told before: it may end with this process.
    process.send({ reverts: { set: set.name, disks: disk === null ? set.disks.map((one) => one.disk) : [disk.disk] } });
    await (disk ?? set).revert({ force: true, ...call });
    return `back at ${set.name}${disk === null ? '' : `/${disk.disk}`}`;
  },
  async export(dom, { which, part, path }, call) {
    const set = at(await listDiskSnapshots(dom), which);
    const disk = set && at(set.disks, part);
    if (disk?.state !== 'present') return 'nothing to export';
    await disk.export(path, { format: 'raw', ...call });
    return { exported: set.name, disk: disk.disk, path };
  },
  async read(dom, { which, part, bytes }, { timeoutMs }) {
    const set = at(await listDiskSnapshots(dom), which);
    const disk = set && at(set.disks, part);
    if (disk?.state !== 'present') return 'nothing to read';
    let read = 0;
    const signal = timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) };
    for await (const chunk of disk.read(signal)) {
      read += chunk.length;
      if (read >= bytes) break;
    }
    return `${read} bytes of ${set.name}/${disk.disk}`;
  },
  async quiesce(dom, { holdMs, maxFreezeMs }, call) {
    const frozen = await quiesceStorage(dom, { maxFreezeMs, ...call });
    await delay(holdMs);
    const { frozenMs, intact } = await frozen.unquiesce();
    return `${Math.round(frozenMs)} ms, ${intact ? 'intact' : 'not intact'}`;
  },
  async recover(dom, _, call) {
    return JSON.stringify(await recoverDiskSnapshots(dom, call));
  },
  async diagnose(dom, { fix }, call) {
    const findings = await diagnose(dom, { fix, ...call });
    return findings.map(({ code, disk, message }) => `${code} ${disk ?? ''} ${message}`);
  },
  async missing(dom) {
    const disks = (await listDiskSnapshots(dom)).flatMap((set) => set.disks);
    return disks.filter(({ state }) => state !== 'present').map(({ set, disk }) => `${set.name}/${disk}`);
  },
  async sets(dom) {
    return (await listDiskSnapshots(dom)).map((set) => set.name);
  },
};

const linkOf = (fd) => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ''; // the folder's own
  }
};

const own = {
  /** What may grow: bytes that JavaScript or C holds, and open files, sockets and threads by number. */
  measure() {
    for (let times = 0; times < 3; times++) global.gc(); // what a finalizer lets go of, the next one finds
    const links = readdirSync('/proc/self/fd').map(linkOf);
    return {
      held: process.memoryUsage().heapUsed + allocated(),
      sockets: links.filter((link) => link.startsWith('socket:')).length,
      files: links.length,
      threads: readdirSync('/proc/self/task').length,
      rss: process.memoryUsage.rss(),
    };
  },
  /** Loses a megabyte on purpose: by an allocation that nobody frees, or an object that somebody keeps. */
  leak({ of }) {
    if (of === 'JavaScript')
      kept.push(Array.from({ length: 16 * 1024 }, (_, at) => `${kept.length} ${at} ${'-'.repeat(40)}`));
    else for (let lost = 0; lost < 1024 * 1024; ) lost += leak();
  },
  /** What a process does once: the first use of the file system starts threads that stay. */
  async warm() {
    await stat(__filename);
  },
  async disconnect() {
    await connection?.close();
  },
};

process.on('message', async ({ id, operation, timeoutMs }) => {
  try {
    const call = timeoutMs === undefined ? {} : { timeoutMs };
    const result = own[operation.do]
      ? await own[operation.do](operation)
      : await operations[operation.do](await domain(), operation, call);
    process.send({ id, result: result ?? null });
  } catch (error) {
    const { name, code, outcome, message, stack } = error;
    process.send({ id, error: { name, code, outcome, message, stack } });
  }
});
