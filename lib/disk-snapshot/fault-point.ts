// The places where a crash is tried: one for each step that leaves something behind. Only tests install a hook; without
// one, passing a point does nothing.

/** In the order in which an operation passes them. */
export const FAULT_POINTS = {
  snapshot: [
    'claim.written',
    'snapshot.recorded',
    'snapshot.layer-made',
    'snapshot.prepared',
    'guard.armed',
    'freeze.sent',
    'freeze.held',
    'pause.begun',
    'snapshot.methods-cut',
    'snapshot.layers-cut',
    'pause.ended',
    'thaw.sent',
    'thaw.proven',
    'snapshot.verified',
    'snapshot.written',
    'snapshot.concluded',
    'claim.removed',
  ],
  delete: [
    'delete.noted',
    'delete.job-started',
    'delete.job-ready',
    'delete.pivot-sent',
    'delete.merged',
    'delete.defined',
    'delete.file-removed',
    'delete.recorded',
    'delete.method-done',
  ],
  revert: [
    'revert.recorded',
    'revert.layer-made',
    'revert.guest-off',
    'revert.begun',
    'revert.method-done',
    'revert.defined',
    'revert.written',
    'revert.cleaned',
    'revert.restarted',
  ],
} as const;

export type FaultPoint = (typeof FAULT_POINTS)[keyof typeof FAULT_POINTS][number];

/** May kill the process, throw, or resolve later: the step waits for it. */
export type FaultHook = (point: FaultPoint) => void | Promise<void>;

let hook: FaultHook | null = null;

/** For tests only: what happens at every point from now on; null: nothing. */
export function installFaultHook(installed: FaultHook | null): void {
  hook = installed;
}

/** The operation has come this far. */
export async function faultPoint(point: FaultPoint): Promise<void> {
  if (hook) await hook(point);
}
