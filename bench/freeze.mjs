// How long a guest stands still for a quiesced snapshot, by its own clock: ours against virsh's, in turn, on one guest each; then
// method by method, and four of them mixed.
// npm run bench:freeze [-- ROUNDS]
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { note, step, style } from '../scripts/console.mjs';
import { root } from '../scripts/process.mjs';
import { measureMethods } from './freeze-methods.mjs';
import { median } from './statistics.mjs';

const require = createRequire(import.meta.url);
const { snapshotDisks } = require(join(root, 'dist'));
const { PrivateLibvirtd, TestGuest, startWriter } = require(join(root, 'dist', 'testing'));

const ROUNDS = Number(process.argv[2] ?? 9);
const GOAL = 0.5;

const daemon = await PrivateLibvirtd.start();
try {
  const connection = await daemon.connect();
  const rows = [];
  for (const disks of [1, 2, 8]) {
    const title = `${disks} ${disks === 1 ? 'disk' : 'disks'}, ${ROUNDS} rounds each`;
    rows.push({ disks, ...(await step(title, () => measure(connection, disks).then((row) => row))) });
  }
  await connection.close();
  print(rows);
} finally {
  await daemon.close();
}
await measureMethods(ROUNDS);

async function measure(connection, disks) {
  const guest = await TestGuest.boot({ connection, disks, restorable: false });
  try {
    const targets = Array.from({ length: disks }, (_, index) => `vd${String.fromCharCode(97 + index)}`);
    const directories = targets.map((target) => `/mnt/${target.at(-1)}`);
    const writer = await startWriter(guest, { directories, periodMs: 5 });
    /** The largest gap while `work` ran, then whatever `work` returned to clean up with. */
    const gapOf = async (work) => {
      await writer.mark();
      const undo = await work();
      const gap = await writer.largestGapMs();
      await undo();
      return gap;
    };
    const gaps = { still: [], ours: [], virsh: [] };
    for (let round = 0; round < ROUNDS; round++) {
      gaps.still.push(await gapOf(() => guest.exec(['sleep', '0.2']).then(() => async () => {})));
      gaps.ours.push(await gapOf(() => ours(guest, `round-${round}`)));
      gaps.virsh.push(await gapOf(() => virsh(guest, targets, `round-${round}`)));
    }
    return { still: median(gaps.still), ours: median(gaps.ours), virsh: median(gaps.virsh) };
  } finally {
    await guest.close();
  }
}

async function ours(guest, name) {
  const set = await snapshotDisks(guest.domain, { name, quiesce: 'required' });
  return () => set.delete();
}

async function virsh(guest, targets, name) {
  const overlays = targets.map((target) => join(guest.directory, `${name}-${target}.qcow2`));
  const disks = targets.flatMap((target, index) => ['--diskspec', `${target},file=${overlays[index]}`]);
  const flags = ['--disk-only', '--atomic', '--quiesce', '--no-metadata'];
  await daemon.virsh('snapshot-create-as', guest.name, name, ...flags, ...disks);
  return async () => {
    for (const target of targets)
      await daemon.virsh('blockcommit', guest.name, target, '--active', '--pivot', '--wait');
    for (const overlay of overlays) await rm(overlay);
  };
}

function print(rows) {
  const ms = (value) => `${value.toFixed(0)} ms`.padStart(9);
  note('Largest gap between two writes in the guest, by the guest’s clock; medians.');
  note(style('bold', 'disks   nothing      ours     virsh   ours/virsh'));
  for (const { disks, still, ours, virsh } of rows) {
    const ratio = ours / virsh;
    const verdict = style(ratio <= GOAL ? 'green' : 'red', ratio.toFixed(2).padStart(9));
    note(`${String(disks).padStart(5)} ${ms(still)} ${ms(ours)} ${ms(virsh)} ${verdict}`);
  }
  note(style('dim', `Goal: at most ${GOAL}. What the guest itself needs to freeze its file systems is in both.`));
}
