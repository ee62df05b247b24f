// What goes to the terminal, the pipe, and the machine: text with or without colours, or one JSON document.
import { styleText } from 'node:util';
import stringWidth from 'string-width';
import type { Failure } from './failure';

export interface OutputStream extends NodeJS.WritableStream {
  isTTY?: boolean;
}
export type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
/** A cell of a table: plain, or in a colour. */
export type Cell = string | { text: string; colour: Colour };

/** Colours belong on a terminal: https://no-color.org, and Node's FORCE_COLOR. */
export function wantsColour(stream: OutputStream, env: NodeJS.ProcessEnv): boolean {
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0';
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
}

/** Names come from anybody: none of them may move the cursor, hide a line, or turn the text around. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

export interface OutputOptions {
  stdout: OutputStream;
  stderr: OutputStream;
  env: NodeJS.ProcessEnv;
  json: boolean;
  /** Called before each line: takes away what else is drawn on the terminal. */
  clear?: () => void;
}

export class Output {
  readonly json: boolean;
  /** Whether what is drawn on stdout may have colours. */
  readonly colour: boolean;
  readonly #options: OutputOptions;
  readonly #colourOfErrors: boolean;

  constructor(options: OutputOptions) {
    this.#options = options;
    this.json = options.json;
    this.colour = wantsColour(options.stdout, options.env);
    this.#colourOfErrors = wantsColour(options.stderr, options.env);
  }

  /** The command's result: the document with --json, else the text. */
  result(document: object, text: () => string): void {
    const said = this.json ? JSON.stringify(document, null, 2) : text();
    if (said !== '') this.#write('stdout', said);
  }

  /** Beside the result, for whoever looks on; a machine is told by the result alone. */
  note(text: string): void {
    if (!this.json) this.#write('stderr', paint(this.#colourOfErrors, 'yellow', printable(text)));
  }

  failure(failure: Failure): void {
    if (this.json) {
      this.#write('stderr', JSON.stringify({ error: failure }, null, 2));
      return;
    }
    const { message, hint } = failure;
    const lines = [...message.split('\n'), ...(hint === undefined ? [] : [`Hint: ${hint}`])];
    this.#write('stderr', `${paint(this.#colourOfErrors, 'red', 'disksnap:')} ${lines.map(printable).join('\n')}`);
  }

  #write(stream: 'stdout' | 'stderr', text: string): void {
    this.#options.clear?.();
    this.#options[stream].write(text.endsWith('\n') ? text : `${text}\n`);
  }

  paint(colour: Colour, text: string): string {
    return paint(this.colour, colour, text);
  }

  table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
    const titles = head.map((text): Cell => ({ text, colour: 'bold' }));
    return this.columns([titles, ...rows]);
  }

  /** Cells below each other, as wide as the widest. */
  columns(rows: readonly (readonly Cell[])[]): string {
    const widths: number[] = [];
    for (const row of rows) {
      for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, stringWidth(textOf(cell)));
    }
    return rows.map((row) => this.#line(row, widths)).join('\n');
  }

  #line(row: readonly Cell[], widths: readonly number[]): string {
    const cells = row.map((cell, at) => {
      const text = textOf(cell);
      const gap = at === row.length - 1 ? '' : ' '.repeat((widths[at] ?? 0) - stringWidth(text) + 2);
      return `${typeof cell === 'string' ? text : this.paint(cell.colour, text)}${gap}`;
    });
    return cells.join('').trimEnd();
  }
}

const textOf = (cell: Cell): string => printable(typeof cell === 'string' ? cell : cell.text);
const paint = (wanted: boolean, colour: Colour, text: string): string =>
  wanted ? styleText(colour, text, { validateStream: false }) : text;
