#!/usr/bin/env node
// The command disksnap as a process: its streams, its signals, its exit code.
import { Interrupts } from './interrupt';
import { runCli } from './run';

// A reader that has seen enough, as `head`, is no failure of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const { stdin, stdout, stderr, env, argv } = process;
const world = { stdin, stdout, stderr, env, interrupts: new Interrupts(process) };
void runCli(argv.slice(2), world).then((exitCode) => {
  process.exitCode = exitCode;
});
