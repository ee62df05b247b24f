import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { Command } from 'commander';
import { type QuiescedStorage, quiesceStorage } from '../../index';
import type { Frame } from '../action';
import { EXIT } from '../exit-codes';
import { CliError, failureOf } from '../failure';
import { Interrupted } from '../interrupt';
import { addDiskOption, seconds } from '../options';
import type { Session } from '../session';

interface Options {
  disk?: string[];
  maxFreeze?: number;
}
const DEFAULT_MAX_FREEZE_MS = 10_000;

export const quiesceCommand = (frame: Frame): Command =>
  addDiskOption(new Command('quiesce'))
    .summary('runs a command while the guest is frozen, and thaws it whatever happens')
    .description(
      'The exit code is that of the command, or 125 where the guest was not frozen all the time. The command is ended ' +
        'when the freeze is over. With --json its output goes to stderr.',
    )
    .usage('[options] <guest> -- <command> [argument...]')
    .argument('<guest>', 'name, UUID or id')
    .argument('<command...>', 'run without a shell')
    .option('--max-freeze <seconds>', 'the guest is thawed after that time at the latest; default 10', seconds)
    .action(
      frame<[string, string[]], Options>(async (session, [named, command], options) => {
        try {
          return await runFrozen(session, named, command, options);
        } catch (error) {
          if (session.signal.aborted) throw error;
          // As of `timeout` and `env`: the codes below 125 belong to the command.
          const failure = failureOf(error);
          const exitCode = failure.exitCode > EXIT.TIME_OVER ? failure.exitCode : EXIT.QUIESCE_FAILED;
          session.output.failure({ ...failure, exitCode });
          return exitCode;
        }
      }),
    );

async function runFrozen(session: Session, named: string, command: string[], options: Options): Promise<number> {
  const { disk = 'all', maxFreeze = DEFAULT_MAX_FREEZE_MS } = options;
  const guest = await session.guest(named);
  const name = guest.getName();
  session.begin({
    guest: name,
    leaves: `${name} may be frozen; its guard thaws it within ${maxFreeze / 1000} s`,
    givenUp: () => ({ message: `${name} is thawed`, outcome: 'undone' }),
  });
  const held = await quiesceStorage(guest, { disks: disk, maxFreezeMs: maxFreeze, signal: session.signal });
  let exitCode: number;
  try {
    exitCode = await runWhile(held, session, command);
  } catch (error) {
    await held.unquiesce();
    throw error;
  }
  const { filesystems, frozenMs, intact } = await held.unquiesce();
  session.signal.throwIfAborted();
  if (!intact) {
    const message = `${name} was thawed before ${command[0]} had ended (its exit code: ${exitCode}). Give it more --max-freeze`;
    throw new CliError('FREEZE_ENDED', EXIT.QUIESCE_FAILED, message);
  }
  session.output.result({ guest: name, filesystems, frozenMs, command, exitCode }, () => '');
  session.output.note(`${name} stood frozen for ${Math.round(frozenMs)} ms`);
  return exitCode;
}

/** Resolves with the command's exit code; it is ended when the freeze is, or when we are interrupted. */
async function runWhile(held: QuiescedStorage, { output, signal, world }: Session, command: string[]): Promise<number> {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { stdio: ['inherit', output.json ? 2 : 'inherit', 'inherit'] });
  const onInterrupt = () => {
    const by = signal.reason instanceof Interrupted ? signal.reason.by : 'SIGTERM';
    if (by !== 'SIGINT' || !world.stdin.isTTY) child.kill(by); // the terminal itself has told the whole group of a Ctrl-C
  };
  const onThawed = () => child.kill('SIGTERM');
  signal.addEventListener('abort', onInterrupt, { once: true });
  held.signal.addEventListener('abort', onThawed, { once: true });
  try {
    return await endOf(child, file, signal);
  } finally {
    signal.removeEventListener('abort', onInterrupt);
    held.signal.removeEventListener('abort', onThawed);
  }
}

async function endOf(child: ChildProcess, file: string, signal: AbortSignal): Promise<number> {
  try {
    // Thawed at once when interrupted: the guest does not wait for the command's end.
    const [code, by] = (await once(child, 'exit', { signal })) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + constants.signals[by ?? 'SIGTERM'];
  } catch (error) {
    signal.throwIfAborted();
    const isUnknown = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const exitCode = isUnknown ? EXIT.NO_SUCH_COMMAND : EXIT.CANNOT_RUN;
    throw new CliError('COMMAND_FAILED', exitCode, `${file} cannot be run: ${(error as Error).message}`);
  }
}
