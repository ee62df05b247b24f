// The two clients in JavaScript differ in how a guest is reached; what they do with it is the same.
import { createInterface } from 'node:readline';

const IN_FLIGHT = 64;

/** @param {Record<'getInfo' | 'list' | 'stats', () => Promise<unknown>>} actions */
export async function serve({ getInfo, list, stats }) {
  const repeated = (action) => async (calls) => {
    for (let i = 0; i < calls; i++) await action();
  };
  const loop = repeated(getInfo);
  const programs = {
    awaited: loop,
    list: repeated(list),
    stats: repeated(stats),
    pipelined: (calls) => Promise.all(Array.from({ length: IN_FLIGHT }, () => loop(Math.floor(calls / IN_FLIGHT)))),
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const [program, calls] = line.split(' ');
    const start = process.hrtime.bigint();
    await programs[program](Number(calls));
    console.log(String(process.hrtime.bigint() - start));
  }
}
