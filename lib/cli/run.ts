// The whole command line but the process around it: arguments in, an exit code out.
import { CommanderError } from 'commander';
import { frameFor } from './action';
import { EXIT } from './exit-codes';
import { Output } from './output';
import { buildProgram } from './program';
import type { World } from './session';

/** Resolves when everything is said and closed; never rejects. */
export async function runCli(args: readonly string[], world: World): Promise<number> {
  let exitCode: number = EXIT.DONE;
  const frame = frameFor(world, (code) => {
    exitCode = code;
  });
  const options = args.slice(0, args.includes('--') ? args.indexOf('--') : args.length);
  const output = new Output({ ...world, json: options.includes('--json') });
  const program = buildProgram(frame, world);
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.DONE; // help, or the version
    const message = error.message.replace(/^error: /, '');
    if (error.code !== 'commander.help')
      output.failure({ code: 'USAGE', message, outcome: 'unchanged', exitCode: EXIT.USAGE });
    return EXIT.USAGE;
  }
}
