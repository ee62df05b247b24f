// How long a guest stands still for each method alone, and for four mixed: frozen, and where it is not, paused. On one guest
// with a disk for each, in turn; by the guest's own clock, which sees the cut of each disk.
import { note, step, style } from '../scripts/console.mjs';
import { median } from './statistics.mjs';
import { load } from './typescript.mjs';

const GOAL = 1.3;

export async function measureMethods(rounds) {
  const { EveryMethod, SUBJECTS, disksOf } = load('test/storage/every-method.ts');
  const { startWriter } = load('lib/testing/index.ts');
  const { quiesceStorage, snapshotDisks } = load('lib/index.ts');
  const four = SUBJECTS.slice(0, 4);
  const cases = [...four.map((one) => ({ title: one.title, subjects: [one] })), { title: 'all four', subjects: four }];
  const rows = cases.map(({ title }) => ({ title, bare: [], frozen: [], cut: [], still: [] }));
  const lab = await step('a guest with a disk for each of four methods', () => EveryMethod.start());
  try {
    const writer = await startWriter(lab.guest, { directories: four.map(({ folder }) => folder), periodMs: 5 });
    const take = async (subjects, quiesce) => {
      await writer.mark();
      const set = await snapshotDisks(lab.guest.domain, { disks: disksOf(subjects), quiesce, name: 'bench' });
      const gap = await writer.largestGapMs();
      await set.delete();
      return { gap, still: set.pausedMs || gap }; // the guest's clock stands still with it
    };
    const freeze = async (subjects) => {
      await writer.mark();
      await (await quiesceStorage(lab.guest.domain, { disks: subjects.map(({ disk }) => disk) })).unquiesce();
      return writer.largestGapMs();
    };
    await step(`each alone, and all four, ${rounds} rounds each`, async () => {
      for (let round = 0; round < rounds; round++) {
        for (const [at, { subjects }] of cases.entries()) {
          const bare = await freeze(subjects);
          const { gap } = await take(subjects, 'required');
          rows[at].bare.push(bare);
          rows[at].frozen.push(gap);
          rows[at].cut.push(gap - bare);
          rows[at].still.push((await take(subjects, 'never')).still);
        }
      }
    });
  } finally {
    await lab.close();
  }
  print(rows.map(({ title, ...times }) => ({ title, ...Object.fromEntries(medians(times)) })));
}

const medians = (times) => Object.entries(times).map(([name, values]) => [name, median(values)]);

function print(rows) {
  const [mixed] = rows.slice(-1);
  const slowest = (column) => Math.max(...rows.slice(0, -1).map((row) => row[column]));
  const ms = (value) => `${value.toFixed(0)} ms`.padStart(12);
  note(
    'Frozen: largest gap between two writes in the guest; nothing cut: what the guest itself needs to freeze and thaw these disks.',
  );
  note('Not frozen: how long it was paused, else the gap. Medians.');
  const columns = { 'nothing cut': 'bare', frozen: 'frozen', difference: 'cut', 'not frozen': 'still' };
  const titles = Object.keys(columns).map((text) => text.padStart(12));
  note(style('bold', `${'method'.padEnd(10)}${titles.join('')}`));
  for (const { title, ...times } of rows) {
    note(
      `${title.padEnd(10)}${Object.values(columns)
        .map((column) => ms(times[column]))
        .join('')}`,
    );
  }
  const ratios = Object.values(columns).map((column) => mixed[column] / slowest(column));
  const told = ratios.map((ratio) => style(ratio <= GOAL ? 'green' : 'red', ratio.toFixed(2).padStart(12)));
  note(`${'ratio'.padEnd(10)}${told.join('')}`);
  note(style('dim', `All four against the slowest alone. Goal: at most ${GOAL}.`));
  const floor = mixed.bare + slowest('cut');
  note(
    `To freeze and thaw all four disks and make the slowest cut alone would take ${floor.toFixed(0)} ms; all four take ${(mixed.frozen / floor).toFixed(2)} of that.`,
  );
}
