// All commands as one program, for commander to parse and to help with.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import type { Frame } from './action';
import { COMMANDS } from './commands';
import { completeCommand } from './commands/complete';
import { addHelpTopics } from './help';
import { addGlobalOptions } from './options';
import type { World } from './session';

export function buildProgram(frame: Frame, world: World): Command {
  const { stdout, stderr } = world;
  const program = addGlobalOptions(new Command('disksnap'))
    .description('Live, consistent disk snapshots of virtual machines.')
    .version(packageVersion(), '-V, --version')
    .showSuggestionAfterError()
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: () => {}, // runCli tells it, in text or JSON
    });
  for (const make of COMMANDS) program.addCommand(make(frame).copyInheritedSettings(program));
  program.addCommand(completeCommand(program, world).copyInheritedSettings(program), { hidden: true });
  addHelpTopics(program);
  return program;
}

function packageVersion(): string {
  const file = join(__dirname, '..', '..', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
