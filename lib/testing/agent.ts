// The guest agent's commands, each with a limit: an agent may never answer.
import type { Domain } from '../libvirt';
import { type OptionNames, refuseUnknown } from '../libvirt/options';
import { duringGuest } from './under-way';

/** What `guest-exec-status` says. */
interface ExecStatus {
  exited: boolean;
  exitcode?: number;
  signal?: number;
  'out-data'?: string;
  'err-data'?: string;
}

/** What became of a program in the guest. */
export interface ExecResult {
  /** 128 and the signal's number where a signal ended it, as in a shell. */
  exitCode: number;
  /** As UTF-8. */
  stdout: string;
  /** As UTF-8. */
  stderr: string;
}

/** Of {@link TestGuest.exec}. */
export interface ExecOptions {
  /** For its standard input: at most 96 KiB; more goes through a file. */
  input?: string | Uint8Array;
  /** From the call to the program's end; it is killed when they have passed. Default 30 000. */
  timeoutMs?: number;
  /** Kills the program. */
  signal?: AbortSignal;
}

const EXEC_OPTIONS: OptionNames<ExecOptions> = { input: true, timeoutMs: true, signal: true };

/** Longest wait for one answer. The agent of an emulated guest takes milliseconds; a busy host may take seconds. */
const ANSWER_SECONDS = 20;

/**
 * What one message to an agent may carry. libvirt sends again from the start what the socket takes in two parts, from about
 * 200 KiB on; the agent finds no sense in it and never answers again. Base64 makes a message longer by a third.
 */
export const MAX_INPUT_BYTES = 96 * 1024;

/** Sends one command and resolves with what it returns. */
export async function agentCommand(
  domain: Domain,
  execute: string,
  args?: object,
  seconds = ANSWER_SECONDS,
): Promise<unknown> {
  const command = args === undefined ? { execute } : { execute, arguments: args };
  const answer = await domain.qemuAgentCommand(JSON.stringify(command), seconds);
  return (JSON.parse(answer) as { return: unknown }).return;
}

/** Runs a program in the guest and resolves when it has ended. */
export async function guestExec(
  domain: Domain,
  argv: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  refuseUnknown(options, EXEC_OPTIONS, 'exec');
  if (argv.length === 0) throw new RangeError('argv is empty: name a program');
  const bytes = Buffer.byteLength(options.input ?? '');
  if (bytes > MAX_INPUT_BYTES)
    throw new RangeError(`input has ${bytes} bytes, more than ${MAX_INPUT_BYTES}: use writeFile, and read that file`);
  // In the restored guest the next program may get the same process id: this one must not read its output.
  return duringGuest(domain, (restored) => execUntil(restored, domain, argv, options));
}

async function execUntil(
  restored: AbortSignal,
  domain: Domain,
  [path, ...arg]: readonly string[],
  { input, timeoutMs = 30_000, signal }: ExecOptions,
): Promise<ExecResult> {
  const limits = [AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])];
  const limit = AbortSignal.any(limits);
  const started = await agentCommand(domain, 'guest-exec', {
    path,
    arg,
    'capture-output': true,
    ...(input === undefined ? {} : { 'input-data': Buffer.from(input).toString('base64') }),
  });
  const { pid } = started as { pid: number };
  // The agent has no event for the end of a program: ask, at first often, since most end at once.
  for (let pause = 2; ; pause = Math.min(pause * 2, 100)) {
    restored.throwIfAborted();
    const status = (await agentCommand(domain, 'guest-exec-status', { pid })) as ExecStatus;
    if (status.exited) return resultOf(status);
    if (limit.aborted) {
      await agentCommand(domain, 'guest-exec', { path: 'kill', arg: ['-KILL', String(pid)] });
      throw limit.reason;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function resultOf(status: ExecStatus): ExecResult {
  const text = (data = '') => Buffer.from(data, 'base64').toString();
  return {
    exitCode: status.exitcode ?? 128 + (status.signal ?? 0),
    stdout: text(status['out-data']),
    stderr: text(status['err-data']),
  };
}
