// What the scripts say: steps with a result and a time; colours and a running clock on a terminal, plain lines in a pipe.
import * as util from 'node:util';

const terminal = process.stdout.isTTY === true;
const colours = process.env.NO_COLOR ? false : terminal || Boolean(process.env.FORCE_COLOR);

/** @param {string | string[]} format as util.styleText @param {string} text */
export function style(format, text) {
  if (!colours || typeof util.styleText !== 'function') return text;
  return [format].flat().reduce((styled, one) => util.styleText(one, styled), text);
}

export function heading(text) {
  console.log(`\n${style('bold', text)}`);
}

export function note(text) {
  console.log(`  ${text}`);
}

/**
 * Runs `work` under a title. What it returns, if it is a string, stands beside the title as the result.
 *
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  const line = (mark, text) => {
    if (terminal) process.stdout.write('\r\x1b[K');
    console.log(`${mark} ${text}`);
  };
  const clock = terminal
    ? setInterval(() => process.stdout.write(`\r\x1b[K${style('dim', `· ${title} ${seconds()}`)}`), 100)
    : undefined;
  try {
    const result = await work();
    line(
      style('green', '✓'),
      `${title}${typeof result === 'string' ? `: ${result}` : ''} ${style('dim', `(${seconds()})`)}`,
    );
    return result;
  } catch (error) {
    line(style('red', '✗'), `${title} ${style('dim', `(${seconds()})`)}`);
    throw error;
  } finally {
    clearInterval(clock);
  }
}

/** A bar that redraws itself on a terminal and stays full at its `end()`; a pipe sees only that. */
export function progressBar(title, width = 30) {
  const draw = (share) => {
    const filled = Math.round(share * width);
    const bar = style('cyan', '█'.repeat(filled)) + style('dim', '░'.repeat(width - filled));
    return `  ${title} ${bar} ${String(Math.round(share * 100)).padStart(3)} %`;
  };
  return {
    update(done, total) {
      if (terminal && total > 0) process.stdout.write(`\r\x1b[K${draw(Math.min(1, done / total))}`);
    },
    end() {
      if (terminal) process.stdout.write('\r\x1b[K');
      console.log(draw(1));
    },
  };
}
