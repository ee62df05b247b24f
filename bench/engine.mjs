// What a call costs: this package, python3-libvirt and the npm peer by the measure of raw C, in turn, in one run.
// npm run bench [-- ROUNDS]
import { rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bench } from 'tinybench';
import { note, step, style } from '../scripts/console.mjs';
import { root } from '../scripts/process.mjs';
import { OURS, withClients } from './clients.mjs';
import { picture } from './picture.mjs';
import { median } from './statistics.mjs';

const { PrivateLibvirtd } = createRequire(import.meta.url)(join(root, 'dist', 'testing'));

const ROUNDS = Number(process.argv[2] ?? 15);

/** Each row: what each client does in a slice, how often, where; and what we want of the time of others. */
const ROWS = [
  {
    title: 'getInfo, awaited, over a socket',
    where: 'socket',
    program: 'awaited',
    calls: 500,
    goals: { 'python3-libvirt': 1.15, '@unraid/libvirt': 1 },
  },
  {
    title: 'getInfo, 64 in flight, over a socket',
    where: 'socket',
    program: 'pipelined',
    calls: 1920,
    goals: { 'raw C': 1 / 0.95, '@unraid/libvirt': 1 },
  },
  {
    title: 'getInfo, awaited, in process',
    where: 'process',
    program: 'awaited',
    calls: 3000,
    goals: { '@unraid/libvirt': 1 },
  },
  {
    title: 'getInfo, 64 in flight, in process',
    where: 'process',
    program: 'pipelined',
    calls: 9600,
    goals: { '@unraid/libvirt': 1 },
  },
  {
    title: 'list of 1,000 guests, over a socket',
    where: 'manySocket',
    program: 'list',
    calls: 10,
    goals: { 'python3-libvirt': 1, '@unraid/libvirt': 1 },
  },
  {
    title: 'statistics of 1,000 guests, over a socket',
    where: 'manySocket',
    program: 'stats',
    calls: 5,
    without: '@unraid/libvirt',
    goals: { 'python3-libvirt': 1 },
  },
  {
    title: 'statistics of 1,000 guests, in process',
    where: 'manyProcess',
    program: 'stats',
    calls: 10,
    without: '@unraid/libvirt',
    goals: { 'python3-libvirt': 1 },
  },
];

/** A host of libvirt's test driver with so many guests. */
function hostOf(guests) {
  const guest = (number) =>
    `<domain type='test'><name>${number === 0 ? 'test' : `guest-${number}`}</name><memory>65536</memory><os><type>hvm</type></os></domain>`;
  return `<node>${Array.from({ length: guests }, (_, number) => guest(number)).join('')}</node>`;
}

const many = join(tmpdir(), `libvirt-disksnapshot-bench-${process.pid}.xml`);
await writeFile(many, hostOf(1000));
const daemon = await PrivateLibvirtd.start();
try {
  const uris = {
    socket: `test+unix:///default?socket=${daemon.socket}`,
    process: 'test:///default',
    manySocket: `test+unix://${many}?socket=${daemon.socket}`,
    manyProcess: `test://${many}`,
  };
  const results = await withClients(async (start) => {
    const places = Object.fromEntries(Object.entries(uris).map(([place, uri]) => [place, start(uri)]));
    const measured = [];
    for (const row of ROWS)
      await step(`${row.title}: ${ROUNDS} rounds`, async () => {
        const clients = places[row.where].filter(({ name }) => name !== row.without);
        measured.push({ ...row, microseconds: await measure(clients, row) });
      });
    return measured;
  });
  for (const result of results) print(result);
  const file = join(root, 'bench', 'results', 'engine.svg');
  await writeFile(file, picture(results));
  note(`Picture: ${file}`);
} finally {
  await daemon.close();
  await rm(many);
}

/** Median microseconds per call of each client; they take turns, so that a busy moment of the machine meets them all. */
async function measure(clients, { program, calls }) {
  const bench = new Bench({ iterations: 1, time: 0, warmup: false, throws: true });
  for (const { name, client } of clients)
    bench.add(name, async () => ({ overriddenDuration: (await client.run(program, calls)) / 1e6 }));
  const samples = Object.fromEntries(clients.map(({ name }) => [name, []]));
  for (let round = -1; round < ROUNDS; round++) {
    const tasks = await bench.run();
    // The first round is for caches and compilers.
    if (round >= 0) for (const { name, result } of tasks) samples[name].push((result.latency.mean * 1000) / calls);
  }
  return Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, median(values)]));
}

function print({ title, microseconds, goals }) {
  note('');
  note(style('bold', `${title.padEnd(40)}  µs/call   calls/s   ours takes   goal`));
  for (const [name, time] of Object.entries(microseconds)) {
    const ratio = microseconds[OURS] / time;
    const goal = goals[name];
    const verdict = goal === undefined ? '' : style(ratio <= goal ? 'green' : 'red', `  ≤ ${goal.toFixed(2)}`);
    const rate = Math.round(1e6 / time);
    note(
      `  ${name.padEnd(38)}${time.toFixed(1).padStart(9)}${String(rate).padStart(10)}${`${ratio.toFixed(2)} ×`.padStart(13)}${verdict}`,
    );
  }
}
