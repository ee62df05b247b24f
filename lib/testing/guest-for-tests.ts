// A pristine running guest for each test, by the hooks of whatever runner.
import { type GuestOptions, TestGuest } from './test-guest';

/** A hook that takes a limit: of Jest and Vitest. */
export type LimitedHook = (work: () => Promise<void>, timeoutMs?: number) => unknown;
/** A hook of `node:test`. */
export type Hook = (work: () => Promise<void>) => unknown;

/** The hooks of Jest and Vitest, or those of `node:test`. */
export type RunnerHooks =
  | { beforeAll: LimitedHook; afterEach: LimitedHook; afterAll: LimitedHook }
  | { before: Hook; afterEach: Hook; after: Hook };

/** The runners' own limits for hooks, 5 or 10 s, are too short for an emulated guest on a busy host. */
const HOOK_MS = 180_000;

/**
 * Boots one guest before the first test, brings it back after each, however that ended, and ends it after the last. The runner
 * calls the hooks also after a test that took too long; what that one still waits for in the guest ends with a
 * GuestRestoredError.
 *
 * @returns the guest, for use in a test; its `domain` may be another handle in each
 * @example
 * const guest = guestForTests({ beforeAll, afterEach, afterAll }, { disks: 2 });
 * test('…', async () => { await guest().exec(['rm', '-rf', '/etc']); });
 */
export function guestForTests(hooks: RunnerHooks, options?: GuestOptions): () => TestGuest {
  let guest: TestGuest | undefined;
  const current = () => {
    if (guest === undefined)
      throw new Error('there is no guest yet: it boots before the first test, and lives in tests alone');
    return guest;
  };
  const boot = async () => {
    guest = await TestGuest.boot(options);
  };
  const restore = () => current().restore();
  // A boot that failed has said so, and left nothing to close.
  const close = async () => guest?.close();
  if ('before' in hooks) {
    hooks.before(boot);
    hooks.afterEach(restore);
    hooks.after(close);
  } else {
    hooks.beforeAll(boot, HOOK_MS);
    hooks.afterEach(restore, HOOK_MS);
    hooks.afterAll(close, HOOK_MS);
  }
  return current;
}
