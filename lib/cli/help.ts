// `disksnap help TOPIC` for what is no command.
import type { Command } from 'commander';
import { EXIT_MEANING } from './exit-codes';

const TOPICS: Readonly<Record<string, () => string>> = {
  'exit-codes': () => EXIT_MEANING.map(({ code, meaning }) => `${String(code).padEnd(15)}${meaning}`).join('\n'),
};

export function addHelpTopics(program: Command): void {
  const write = (text: string) => program.configureOutput().writeOut?.(text);
  const help = program
    .createCommand('help')
    .summary('help for a command; exit-codes explains those')
    .argument('[command]')
    .action((topic: string | undefined) => {
      const text = topic === undefined ? undefined : TOPICS[topic];
      const command = program.commands.find((one) => one.name() === topic) ?? program;
      if (topic !== undefined && !text && command === program) program.error(`there is no help for ${topic}`);
      write(text ? `${text()}\n` : command.helpInformation());
    });
  program.helpCommand(false).addCommand(help.copyInheritedSettings(program));
}
