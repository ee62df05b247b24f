// The engine's figures as a table, on the terminal and in Markdown.
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { note, style } from '../scripts/console.mjs';
import { printed } from '../scripts/process.mjs';
import { OURS } from './rows.mjs';

/** What ours took of the time of each client, and whether that is what we want. */
function lines({ microseconds, goals = {}, most }) {
  return Object.entries(microseconds).map(([name, time]) => {
    const ratio = microseconds[OURS] / time;
    const goal = goals[name];
    if (name === OURS && most !== undefined) return { name, time, ratio, goal: `≤ ${most} µs`, isMet: time <= most };
    if (goal === undefined) return { name, time, ratio, goal: '' };
    return { name, time, ratio, goal: `≤ ${goal.toFixed(2)} ×`, isMet: ratio <= goal };
  });
}

export function print(result) {
  note('');
  note(style('bold', `${result.title.padEnd(46)}       µs     per s   ours takes   goal`));
  for (const { name, time, ratio, goal, isMet } of lines(result)) {
    const told = `${time.toFixed(2).padStart(9)}${String(Math.round(1e6 / time)).padStart(10)}${`${ratio.toFixed(2)} ×`.padStart(13)}`;
    note(`  ${name.padEnd(44)}${told}   ${goal && style(isMet ? 'green' : 'red', goal)}`);
  }
}

/** The kind of machine, by nothing that names it. */
function machine() {
  const [kernel] = release().split('-'); // what follows may name the host
  const libvirt = printed('pkg-config', ['--modversion', 'libvirt']).trim();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${availableParallelism()} cores (${cpus()[0].model}), ${memory} GiB, ${type()} ${kernel} ${process.arch}, Node ${process.versions.node}, libvirt ${libvirt}`;
}

export function markdown(results, handles, rounds) {
  const rows = results.flatMap((result) =>
    lines(result).map(({ name, time, ratio, goal, isMet }, at) => {
      const verdict = goal && `${goal} ${isMet ? 'met' : '**missed**'}`;
      return `| ${at === 0 ? result.title : ''} | ${name} | ${time.toFixed(2)} | ${ratio.toFixed(2)} | ${verdict} |`;
    }),
  );
  return `# What a call costs

${machine()}. Median of ${rounds} rounds; the clients take turns, in one run.

| what | client | µs | ours takes × | goal |
| --- | --- | ---: | ---: | --- |
${rows.join('\n')}

${handles}

![The same as a picture](engine.svg)
`;
}
