// What the exit code tells a script. The table is also the text of `disksnap help exit-codes`.

export const EXIT = {
  DONE: 0,
  FAILED: 1,
  USAGE: 2,
  FINDINGS: 3,
  NOT_FOUND: 4,
  BUSY: 5,
  DONE_THOUGH_FAILED: 6,
  NO_CONNECTION: 7,
  UNKNOWN: 8,
  DEFECT: 70,
  TIME_OVER: 124,
  QUIESCE_FAILED: 125,
  CANNOT_RUN: 126,
  NO_SUCH_COMMAND: 127,
} as const;

export const EXIT_MEANING: readonly { code: number | string; meaning: string }[] = [
  { code: EXIT.DONE, meaning: 'done' },
  { code: EXIT.FAILED, meaning: 'failed; nothing was changed, or all of it was taken back' },
  { code: EXIT.USAGE, meaning: 'the command line is wrong' },
  { code: EXIT.FINDINGS, meaning: 'plan: the snapshot is not possible; doctor: something is left to be mended' },
  { code: EXIT.NOT_FOUND, meaning: 'there is no such guest, disk or snapshot' },
  { code: EXIT.BUSY, meaning: 'somebody else is at work on it, or needs it: try again later' },
  { code: EXIT.DONE_THOUGH_FAILED, meaning: 'failed, but the guest was changed: the message says what is true' },
  { code: EXIT.NO_CONNECTION, meaning: 'no connection to the hypervisor; nothing was begun' },
  {
    code: EXIT.UNKNOWN,
    meaning: 'failed, and what is true is not known: disksnap recover GUEST finds out and repairs',
  },
  { code: EXIT.DEFECT, meaning: 'a defect of disksnap' },
  { code: EXIT.TIME_OVER, meaning: 'the time of --timeout was over; as after an interrupt' },
  {
    code: EXIT.QUIESCE_FAILED,
    meaning: 'quiesce: the guest was not frozen from the first to the last moment of the command',
  },
  { code: EXIT.CANNOT_RUN, meaning: 'quiesce: the command cannot be run' },
  { code: EXIT.NO_SUCH_COMMAND, meaning: 'quiesce: there is no such command; any other code is the command’s own' },
  { code: '129, 130, 143', meaning: 'interrupted by SIGHUP, SIGINT (Ctrl-C), SIGTERM; what was begun is taken back' },
];
