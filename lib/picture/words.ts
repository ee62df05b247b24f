// What stands in a picture: names as anybody may have given them, made harmless, and figures as people read them.
import stringWidth from 'string-width';

/** Names come from anybody: none of them may break a line, turn the text around, or hold what XML cannot. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Bidi_Control}\p{Surrogate}\u2028\u2029\uFFFE\uFFFF]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** In columns of a terminal: what is wide takes two. */
export const widthOf = (text: string): number => stringWidth(text);

/** At most so many columns: the middle goes, for names differ at their ends. */
export function shorten(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  const characters = [...text];
  const head: string[] = [];
  const tail: string[] = [];
  for (let left = columns - 1; characters.length > 0; ) {
    const takesHead = head.length <= tail.length;
    const next = (takesHead ? characters.shift() : characters.pop()) ?? '';
    left -= widthOf(next);
    if (left < 0) break;
    if (takesHead) head.push(next);
    else tail.unshift(next);
  }
  return `${head.join('')}…${tail.join('')}`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

export function bytes(count: number): string {
  const power = count < 1 ? 0 : Math.min(Math.floor(Math.log2(count) / 10), UNITS.length - 1);
  const value = count / 1024 ** power;
  return `${Number(value.toFixed(power === 0 || value >= 100 ? 0 : 1))} ${UNITS[power]}`;
}

export function milliseconds(count: number): string {
  return count >= 10_000 ? `${(count / 1000).toFixed(1)} s` : `${Number(count.toFixed(count < 10 ? 1 : 0))} ms`;
}
