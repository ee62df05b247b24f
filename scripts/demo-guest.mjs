// The demonstration: a quiesced snapshot of two disks of a running guest, judged from outside, beside one that is not quiesced.
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { heading, note, progressBar, step, style } from './console.mjs';
import { root } from './process.mjs';

const require = createRequire(import.meta.url);
const { snapshotDisks, listDiskSnapshots } = require(join(root, 'dist'));
const { TestGuest, startWriter, verifyConsistency } = require(join(root, 'dist', 'testing'));
const { readDomain } = require(join(root, 'dist', 'xml', 'domain.js'));

const DISKS = ['vda', 'vdb'];
const FOLDERS = ['/mnt/a', '/mnt/b'];
/** Written to each disk after the snapshots, so that there is something to merge; slowly, so that it can be watched. */
const MEBIBYTES = 12;
const BANDWIDTH = 12;

heading('A guest on qemu:///embed, without any daemon');
const guest = await step('boot', () => TestGuest.boot({ disks: DISKS.length, restorable: false }));
try {
  note(`${guest.name}: its own kernel, its own agent, a writer that appends to both disks without a break`);
  await showDisks();
  const writer = await startWriter(guest, { directories: FOLDERS });

  heading('snapshotDisks(guest, { quiesce: "required" })');
  await writer.mark();
  const quiesced = await step('snapshot', () => snapshotDisks(guest.domain, { name: 'quiesced', quiesce: 'required' }));
  const gap = await writer.largestGapMs();
  note(`consistency   ${style('green', quiesced.consistency)}`);
  note(
    `frozen        ${gap.toFixed(0)} ms by the guest’s own clock; at most ${quiesced.frozenMs.toFixed(0)} ms by ours`,
  );
  for (const { fact, from } of quiesced.evidence) note(style('dim', `evidence      ${fact} (${from})`));
  for (const snapshot of quiesced.disks) {
    console.log();
    note(`${style('bold', snapshot.disk)} now writes to`);
    xml(snapshot.modifiedDisk);
    note('and this no longer changes:');
    xml(snapshot.backupSource);
  }

  heading('The control: snapshotDisks(guest, { quiesce: "never" })');
  const control = await step('snapshot', () => snapshotDisks(guest.domain, { name: 'control', quiesce: 'never' }));
  note(`consistency   ${style('yellow', control.consistency)}`);

  heading('What e2fsck -fn and dumpe2fs -h say of the snapshots');
  for (const set of [quiesced, control]) for (const snapshot of set.disks) await verdict(snapshot, set === quiesced);

  heading('The merge, while the guest writes');
  let sums = '';
  await step(`${MEBIBYTES} MiB of random data on each disk`, async () => {
    sums = await fill();
  });
  for (const set of [control, quiesced]) await merge(set);
  await showDisks();
  await step('the guest’s own checksums of that data', async () => {
    if ((await checksums()) !== sums) throw new Error('the guest’s data changed in the merge');
    return style('green', 'unchanged');
  });
  const records = await listDiskSnapshots(guest.domain);
  note(`snapshots on record: ${records.length}`);
  await writer.stop();
} finally {
  await step('shut down', () => guest.close());
}

async function showDisks() {
  for (const disk of readDomain(await guest.domain.getXMLDesc()).disks) {
    note(`${style('bold', disk.target)}  ${basename(disk.sourcePath)} (${disk.format})`);
  }
}

function xml(text) {
  for (const line of (text ?? '').trim().split('\n')) note(style('cyan', `  ${line}`));
}

async function verdict(snapshot, wantsClean) {
  const path = /file='([^']+)'/.exec(snapshot.backupSource)?.[1];
  const { clean, needsRecovery, output } = await verifyConsistency(path);
  const good = clean && !needsRecovery;
  const lines = output.trim().split('\n');
  const why = good ? lines.at(-1) : lines.find((line) => line.includes('journal'));
  const judged = good ? style('green', 'clean         ') : style('yellow', 'needs recovery');
  note(
    `${snapshot.set.name.padEnd(9)} ${snapshot.disk}  ${judged}  ${style('dim', why?.replace(/^\S+raw: /, '') ?? '')}`,
  );
  if (good !== wantsClean) throw new Error(`${snapshot.name}, ${snapshot.disk}: not as promised`);
}

async function fill() {
  for (const folder of FOLDERS) {
    await inGuest(`dd if=/dev/urandom of=${folder}/data bs=1M count=${MEBIBYTES} 2>/dev/null && sync`);
  }
  return checksums();
}

function checksums() {
  return inGuest(`sha256sum ${FOLDERS.map((folder) => `${folder}/data`).join(' ')}`);
}

async function inGuest(script) {
  const { exitCode, stdout, stderr } = await guest.exec(['sh', '-c', script], { timeoutMs: 120_000 });
  if (exitCode !== 0) throw new Error(`in the guest, ${script} failed: ${stderr}`);
  return stdout;
}

/** Deletes a set; each disk has its bar. */
async function merge(set) {
  const bars = new Map(set.disks.map(({ disk }) => [disk, progressBar(`${set.name.padEnd(9)} ${disk}`)]));
  const start = performance.now();
  await set.delete({
    bandwidth: BANDWIDTH,
    onProgress: ({ phase, disk, done, total }) => phase === 'commit' && bars.get(disk)?.update(done, total),
  });
  for (const bar of bars.values()) bar.end();
  note(style('dim', `${set.name} merged in ${((performance.now() - start) / 1000).toFixed(1)} s`));
}
