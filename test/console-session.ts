// A session on a terminal, as documentation shows it: what is typed behind `$ `, and what appears below.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { pages } from './docs/markdown';

export interface Step {
  command: string;
  output: string;
}

/** Of the `console` block of that page. */
export function sessionIn(file: string): Step[] {
  const blocks = pages.find((page) => page.file === file)?.blocks ?? [];
  const session = blocks.find(({ language }) => language === 'console')?.text ?? '';
  return session
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const end = step.indexOf('\n');
      return { command: step.slice(0, end), output: step.slice(end + 1).trim() };
    });
}

/** A shell that remembers the exit code of the step before; both its streams are the terminal. */
export class Shell {
  #exitCode = 0;

  constructor(private readonly env: NodeJS.ProcessEnv) {}

  async run(command: string): Promise<string> {
    const child = spawn('bash', ['-c', `exec 2>&1; (exit ${this.#exitCode}); ${command}`], { env: this.env });
    child.stdin.end();
    const [said, [exitCode]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    this.#exitCode = exitCode;
    return said.trim();
  }
}
