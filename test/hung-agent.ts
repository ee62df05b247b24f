// Guests whose agents hang: truly stopped, by a signal from inside.
import type { TestGuest } from '../lib/testing';

/**
 * Stops the guest's agent, and resolves when it answers no more.
 *
 * @param forSeconds after which it goes on by itself; never, if left out: nobody can reach it any more
 */
export async function hangAgent(guest: TestGuest, forSeconds?: number): Promise<void> {
  const wake = forSeconds === undefined ? '' : `; sleep ${forSeconds}; killall -CONT qemu-ga`;
  // Later, and not waited for: the agent still has to say that it has begun.
  const script = `(sleep 0.2; killall -STOP qemu-ga${wake}) </dev/null >/dev/null 2>&1 &`;
  await guest.exec(['sh', '-c', script]);
  const isAnswering = () =>
    guest.domain.qemuAgentCommand('{"execute":"guest-ping"}', 1).then(
      () => true,
      () => false,
    );
  while (await isAnswering());
}
