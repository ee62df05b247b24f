// The frame of every command: a session for it, interrupts heard, failures told, the exit code found.
import type { Command } from 'commander';
import { type Failure, failureOf } from './failure';
import { Interrupted } from './interrupt';
import type { GlobalOptions } from './options';
import { Session, type World } from './session';

/** What a command does. Resolves with its exit code, where that is not 0. */
export type Work<Operands extends unknown[], Options> = (
  session: Session,
  operands: Operands,
  options: Options,
) => Promise<number | undefined>;

/** Makes of it what commander calls: with the operands, the options, and the command. */
export type Frame = <Operands extends unknown[], Options>(
  work: Work<Operands, Options>,
) => (...args: unknown[]) => Promise<void>;

/** @param finish is told the exit code. */
export function frameFor(world: World, finish: (exitCode: number) => void): Frame {
  return <Operands extends unknown[], Options>(work: Work<Operands, Options>) =>
    async (...args: unknown[]) => {
      const command = args.at(-1) as Command;
      const options = command.optsWithGlobals<GlobalOptions & Options>();
      const session = new Session(world, options);
      try {
        finish((await perform(session, () => work(session, args.slice(0, -2) as Operands, options))) ?? 0);
      } finally {
        await session[Symbol.asyncDispose]();
      }
    };
}

async function perform(session: Session, work: () => Promise<number | undefined>): Promise<number | undefined> {
  const { output, world } = session;
  const listening = world.interrupts.listen({
    first(reason) {
      output.note(`${reason.message}: taking back what was begun; once more leaves at once`);
    },
    second(reason) {
      const { message, outcome } = session.farewell();
      const { exitCode } = reason;
      output.failure({ code: 'ABANDONED', message: `left at once. ${message}`, outcome, exitCode });
    },
  });
  try {
    const exitCode = await work();
    if (world.interrupts.signal.aborted) output.note('it was too late to take it back: it is done');
    return exitCode;
  } catch (error) {
    const failure = await tell(session, error);
    output.failure(failure);
    return failure.exitCode;
  } finally {
    listening[Symbol.dispose]();
  }
}

async function tell(session: Session, error: unknown): Promise<Failure> {
  const failure = failureOf(error);
  const isGivenUp = error instanceof Interrupted || failure.code === 'TIME_OVER';
  if (!isGivenUp) return failure;
  const { message, outcome } = await session.aftermath();
  return { ...failure, message: `${failure.message}: ${message}`, outcome };
}
