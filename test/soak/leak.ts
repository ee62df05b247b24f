// Whether what a process holds grows for ever: by the slope of its second half, when all is compiled, opened and cached.

export interface Sample {
  minutes: number;
  /** In use, after a collection of garbage. */
  bytes: number;
}

const LEAK_BYTES_PER_MINUTE = 256 * 1024;
/** What a kind of operation takes that comes for the first time: in a run of minutes some do so in its second half. */
const LEAST_BYTES = 1024 * 1024;

const secondHalf = (samples: readonly Sample[]) => samples.slice(Math.floor(samples.length / 2));

/** Bytes a minute: the median of the slopes between all pairs of samples, so that a moment's work in hand counts for nothing. */
export function slope(samples: readonly Sample[]): number {
  const half = secondHalf(samples);
  const slopes = half.flatMap((one, at) =>
    half.slice(at + 1).map((later) => (later.bytes - one.bytes) / (later.minutes - one.minutes)),
  );
  slopes.sort((a, b) => a - b);
  return slopes[Math.floor(slopes.length / 2)] ?? Number.NaN;
}

/** Bytes a minute that samples of that length may grow by; none where they are too few to tell. */
export function limitOf(samples: readonly Sample[]): number {
  const [first, last] = [secondHalf(samples)[0], samples.at(-1)];
  if (!first || !last || first === last) return Number.NaN;
  return Math.max(LEAK_BYTES_PER_MINUTE, LEAST_BYTES / (last.minutes - first.minutes));
}

export const isLeak = (samples: readonly Sample[]) => !(slope(samples) <= limitOf(samples));
