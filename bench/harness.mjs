// A pristine running guest for each of 20 tests that dirty it: brought back, against booting anew.
// npm run bench:harness
import { createRequire } from 'node:module';
import { median } from './statistics.mjs';

const { TestGuest } = createRequire(import.meta.url)('../dist/testing');

const TESTS = 20;
const ANEW = Number(process.argv[2] ?? 3);

/** What the tests do in turn. */
const DIRT = [
  ['writes files', 'echo x >/mnt/a/x; echo x >/mnt/b/x; sync'],
  ['deletes /etc', 'rm -rf /etc'],
  ['kills processes', 'killall sleep'],
  ['fills 40 MiB of memory', 'mount -t tmpfs none /tmp; yes dirt | dd of=/tmp/full bs=64k count=640'],
  ['powers off', undefined],
];

async function measure(work) {
  const start = performance.now();
  const result = await work();
  return { result, ms: performance.now() - start };
}

const boot = () =>
  TestGuest.boot({
    disks: 2,
    prepare: (guest) => guest.exec(['sh', '-c', 'sleep 100000 </dev/null >/dev/null 2>&1 &']),
  });

const { result: guest, ms: first } = await measure(boot);
const rows = DIRT.map(([title]) => ({ title, ms: [] }));
for (let count = 0; count < TESTS; count += 1) {
  const [, script] = DIRT[count % DIRT.length];
  if (script === undefined) await guest.domain.destroy();
  else await guest.exec(['sh', '-c', script]);
  rows[count % DIRT.length].ms.push((await measure(() => guest.restore())).ms);
}
await guest.close();

const anew = [];
for (let count = 0; count < ANEW; count += 1) {
  const { result, ms } = await measure(boot);
  anew.push(ms);
  await result.close();
}

const table = [
  ['the first boot', [first]],
  ...rows.map(({ title, ms }) => [`restore after a test that ${title}`, ms]),
  [`restore, all ${TESTS}`, rows.flatMap(({ ms }) => ms)],
  ['booting anew', anew],
];
console.log('| | median ms | longest ms |\n| --- | ---: | ---: |');
for (const [title, ms] of table) console.log(`| ${title} | ${median(ms).toFixed(0)} | ${Math.max(...ms).toFixed(0)} |`);
