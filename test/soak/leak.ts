// Whether what a process holds grows for ever: by the slope of its second half, when all is compiled, opened and cached.

export interface Sample {
  minutes: number;
  /** In use, after a collection of garbage. */
  bytes: number;
}

export const LEAK_BYTES_PER_MINUTE = 256 * 1024;

/** Bytes a minute: the median of the slopes between all pairs of samples, so that a moment's work in hand counts for nothing. */
export function slope(samples: readonly Sample[]): number {
  const half = samples.slice(Math.floor(samples.length / 2));
  const slopes = half.flatMap((one, at) =>
    half.slice(at + 1).map((later) => (later.bytes - one.bytes) / (later.minutes - one.minutes)),
  );
  slopes.sort((a, b) => a - b);
  return slopes[Math.floor(slopes.length / 2)] ?? Number.NaN;
}

export const isLeak = (samples: readonly Sample[]) => !(slope(samples) < LEAK_BYTES_PER_MINUTE);
