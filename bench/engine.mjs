// What a call costs: this package, python3-libvirt, the npm peer and virsh by the measure of raw C, in turn, in one run.
// npm run bench [-- ROUNDS]
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Bench } from 'tinybench';
import { note, step } from '../scripts/console.mjs';
import { root } from '../scripts/process.mjs';
import { withClients } from './clients.mjs';
import { heldHandles } from './handles.mjs';
import { picture } from './picture.mjs';
import { withPlaces } from './places.mjs';
import { markdown, print } from './report.mjs';
import { ROWS } from './rows.mjs';
import { median } from './statistics.mjs';

const ROUNDS = Number(process.argv[2] ?? 15);

await withPlaces(async (uriOf) => {
  const results = await withClients(async (start) => {
    const measured = [];
    for (const row of ROWS) {
      const uri = await uriOf(row.where);
      await step(`${row.title}: ${ROUNDS} rounds`, async () => {
        const clients = row.clients.map((name) => ({ name, client: start(name, uri) }));
        measured.push({ ...row, microseconds: await measure(clients, row) });
      });
    }
    return measured;
  });
  const handles = await step('memory of handles', async () => heldHandles(await uriOf('process10000')));
  for (const result of results) print(result);
  note(handles);
  const folder = join(root, 'bench', 'results');
  await writeFile(join(folder, 'engine.svg'), picture(results));
  await writeFile(join(folder, 'engine.md'), markdown(results, handles, ROUNDS));
  note(`Table and picture: ${folder}`);
});

/** Median microseconds of each client; they take turns, so that a busy moment of the machine meets them all. */
async function measure(clients, { program, calls, per = 1 }) {
  const bench = new Bench({ iterations: 1, time: 0, warmup: false, throws: true });
  for (const { name, client } of clients)
    bench.add(name, async () => ({ overriddenDuration: (await client.run(program, calls)) / 1e6 }));
  const samples = Object.fromEntries(clients.map(({ name }) => [name, []]));
  for (let round = -1; round < ROUNDS; round++) {
    bench.reset(); // without it a second run() runs nothing and repeats the first result
    const tasks = await bench.run();
    // The first round is for caches and compilers.
    if (round >= 0)
      for (const { name, result } of tasks) samples[name].push((result.latency.mean * 1000) / calls / per);
  }
  return Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, median(values)]));
}
