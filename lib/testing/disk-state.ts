// The disks alone, for guests that are off or whose disks keep no memory: a disk snapshot, reverted.
import { snapshotDisks } from '../index';
import { type Domain, DomainState } from '../libvirt';
import { agentAnswers, untilAgentAnswers } from './agent-return';
import { endSince, thisMoment } from './under-way';

/** What brings a guest back, and what removes what that needed. */
export interface Way {
  back(): Promise<void>;
  forget(): Promise<void>;
}

/** A running guest boots anew afterwards: its memory would not fit its disks. */
export async function saveDisks(domain: Domain, name: string): Promise<Way> {
  const moment = thisMoment();
  const ran = await domain.isActive();
  const agent = ran && (await agentAnswers(domain));
  const set = await snapshotDisks(domain, { name, quiesce: 'preferred' });
  return {
    async back() {
      endSince(domain, moment);
      const { state } = await domain.getState();
      if (state !== DomainState.SHUTOFF) await domain.destroy();
      await set.revert({ discardManagedSave: true });
      if (agent) await untilAgentAnswers(domain, () => domain.create());
      else if (ran) await domain.create();
    },
    forget: () => set.delete(),
  };
}
