// What a shell's completion script asks: the candidates for the last of some words.
import { Command, type Option } from 'commander';
import { connect, listDiskSnapshots } from '../../index';
import { findDomain } from '../find-domain';
import { printable } from '../output';
import type { World } from '../session';

/** A user waits for a key to take effect. */
const PATIENCE_MS = 2_000;
const PATHS = ['path', 'folder', 'command'];

/** Hidden; `disksnap complete -- WORD…` prints a candidate in each line. Says nothing where nothing can be found out. */
export const completeCommand = (program: Command, { stdout }: World): Command =>
  new Command('complete').argument('[word...]').action(async (words: string[]) => {
    const current = words.at(-1) ?? '';
    const found = await candidates(program, words.slice(0, -1), current).catch(() => []);
    for (const one of found) if (one.startsWith(current) && printable(one) === one) stdout.write(`${one}\n`);
  });

async function candidates(program: Command, words: readonly string[], current: string): Promise<string[]> {
  const commands = program.commands.filter((one) => one.name() !== 'complete');
  const line = readLine(program, words);
  if (line.awaits) return [...(line.awaits.argChoices ?? [])];
  const { command, operands } = line;
  if (!command) return current.startsWith('-') ? flagsOf(program) : commands.map((one) => one.name());
  if (current.startsWith('-')) return [...flagsOf(command), ...flagsOf(program)];
  if (command.name() === 'help') return [...commands.map((one) => one.name()), 'exit-codes'];
  const expected = command.registeredArguments[Math.min(operands.length, command.registeredArguments.length - 1)];
  if (!expected || PATHS.includes(expected.name())) return [];
  return expected.argChoices ?? (await namesFor(expected.name(), operands, line.uri));
}

interface Line {
  command: Command | undefined;
  operands: string[];
  /** The option whose value comes next. */
  awaits: Option | undefined;
  uri: string | undefined;
}

function readLine(program: Command, words: readonly string[]): Line {
  const line: Line = { command: undefined, operands: [], awaits: undefined, uri: undefined };
  for (const word of words) {
    const options = [...program.options, ...(line.command?.options ?? [])];
    if (line.awaits) {
      if (line.awaits.long === '--connect') line.uri = word;
      line.awaits = undefined;
    } else if (word.startsWith('-')) {
      const [flag, value] = word.split(/=(.*)/s, 2);
      const option = options.find(({ long, short }) => flag === long || flag === short);
      if (option?.long === '--connect') line.uri = value;
      if (option?.required && value === undefined) line.awaits = option;
    } else if (line.command) line.operands.push(word);
    else line.command = program.commands.find((one) => one.name() === word);
  }
  return line;
}

const flagsOf = ({ options }: Command): string[] =>
  options.flatMap(({ long, hidden }) => (hidden || !long ? [] : [long]));

async function namesFor(what: string, [guest]: readonly string[], uri: string | undefined): Promise<string[]> {
  const call = { signal: AbortSignal.timeout(PATIENCE_MS) };
  const connection = await connect(uri ?? null, { readonly: true, ...call });
  try {
    if (what === 'guest') return (await connection.listAllDomains(call)).map((domain) => domain.getName()).sort();
    if (what !== 'snapshot' || guest === undefined) return [];
    const domain = await findDomain(connection, guest, call.signal);
    return (await listDiskSnapshots(domain, call)).map(({ name }) => name);
  } finally {
    await connection.close();
  }
}
