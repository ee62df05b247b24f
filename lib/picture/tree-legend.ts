// The words and shapes of a tree, the same in every format: colour alone says nothing.
import type { ImageState, SnapshotMark } from './tree-model';

export const STATE_WORDS: Readonly<Record<ImageState, string>> = {
  live: 'live',
  below: '',
  branch: 'branch left by a revert',
  missing: 'missing',
};

export const SHAPES: Readonly<Record<ImageState, string>> = { live: '●', below: '○', branch: '◌', missing: '✕' };

export function markWords({ name, method, isPresent, isInside }: SnapshotMark): string {
  if (!isPresent) return `◇ ${name} · ${method} · missing`;
  return isInside ? `◆ ${name} · ${method} · inside this image` : `◆ ${name} · ${method}`;
}

/** A snapshot that lies on none of the images. */
export function besideWords(mark: SnapshotMark): string {
  return mark.isPresent ? `${markWords(mark)} · in a place of its own` : markWords(mark);
}
