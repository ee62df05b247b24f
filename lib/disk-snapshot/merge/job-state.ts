// The states of a block job, and what leads from one to another.

/** How a job can end. `lost`: QEMU, the guest or the connection ended before it. */
export type JobEnd = 'completed' | 'failed' | 'cancelled' | 'lost';
export type JobState = 'starting' | 'running' | 'ready' | 'pivoting' | 'cancelling' | JobEnd;

const ends = { completed: 'completed', failed: 'failed', cancelled: 'cancelled', lost: 'lost' } as const;
const TRANSITIONS = {
  // READY, and even the end, may be reported before the call that starts the job has returned.
  starting: { ...ends, started: 'running', ready: 'ready' },
  running: { ...ends, ready: 'ready', cancel: 'cancelling' },
  ready: { ...ends, pivot: 'pivoting', cancel: 'cancelling' },
  // The point of no return: from here it is finished first.
  pivoting: { ...ends },
  cancelling: { ...ends },
  completed: {},
  failed: {},
  cancelled: {},
  lost: {},
} as const satisfies Record<JobState, Partial<Record<string, JobState>>>;

type LiveState = Exclude<JobState, JobEnd>;
/** What has happened, as opposed to what we do. */
export type JobNews = JobEnd | 'started' | 'ready';

/** What we do next; a step that the state does not allow does not compile. */
export function step<S extends LiveState, A extends keyof (typeof TRANSITIONS)[S]>(
  state: S,
  action: A,
): (typeof TRANSITIONS)[S][A] {
  return TRANSITIONS[state][action];
}

/** The state after some news. News that the state has no use for (a second READY, anything after the end) is ignored. */
export function afterNews(state: JobState, news: JobNews): JobState {
  return (TRANSITIONS[state] as Partial<Record<JobNews, JobState>>)[news] ?? state;
}

export function isEnd(state: JobState): state is JobEnd {
  return state in ends;
}
