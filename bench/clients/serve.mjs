// The clients in JavaScript differ in how a guest is reached; what they do with it is the same.
import { createInterface } from 'node:readline';

const IN_FLIGHT = 64;

const repeated = (action) => async (calls) => {
  for (let i = 0; i < calls; i++) await action();
};

/** Answers each line of standard input, PROGRAM CALLS, with the nanoseconds that the program took. */
export async function answer(programs) {
  for await (const line of createInterface({ input: process.stdin })) {
    const [program, calls] = line.split(' ');
    const start = process.hrtime.bigint();
    await programs[program](Number(calls));
    console.log(String(process.hrtime.bigint() - start));
  }
}

/** @param {Record<'getInfo' | 'list' | 'stats', () => Promise<unknown>>} actions; `more`: whole programs. */
export async function serve({ getInfo, list, stats, ...more }) {
  const loop = repeated(getInfo);
  await answer({
    awaited: loop,
    list: repeated(list),
    stats: repeated(stats),
    pipelined: (calls) => Promise.all(Array.from({ length: IN_FLIGHT }, () => loop(Math.floor(calls / IN_FLIGHT)))),
    ...more,
  });
}
