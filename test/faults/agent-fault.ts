// The guest's agent is away for a while. A frozen agent runs no programs: what shall happen to it is said before.
import { setTimeout as delay } from 'node:timers/promises';
import type { FaultPoint } from '../../lib/disk-snapshot/fault-point';
import { FREEZE_HOOK } from '../../lib/testing/guest-scripts';
import type { Fault } from './fault';

/** For so long the agent is away; a service manager, or a busy host, gives it back. */
const AWAY_S = 3;
/** Points at which the agent can be told to do nothing, since the guest is frozen, or about to be. */
const DURING_FREEZE: readonly FaultPoint[] = ['freeze.sent'];
const WHILE_FROZEN: readonly FaultPoint[] = [
  'freeze.held',
  'pause.begun',
  'snapshot.methods-cut',
  'snapshot.layers-cut',
  'pause.ended',
];
const DURING_THAW: readonly FaultPoint[] = ['thaw.sent'];

/** Where the guest notes that the agent has been away, and is back. */
const BACK = '/run/agent-was-away';

export function agentFault(leave: string, comeBack: string): Fault {
  const gone = `${leave}; sleep ${AWAY_S}; ${comeBack}; touch ${BACK}`;
  const behind = (script: string) => `(${script}) </dev/null >/dev/null 2>&1 &`;
  // Once, and the agent is gone before its hook has ended.
  const inHook = (moment: string) =>
    `printf '%s\\n' '#!/bin/sh' '[ "$1" = ${moment} ] || exit 0' 'printf "#!/bin/sh\\n" >${FREEZE_HOOK}' '${behind(gone)}' 'usleep 300000' >${FREEZE_HOOK}`;
  const armed = (point: FaultPoint) => {
    if (DURING_FREEZE.includes(point)) return inHook('freeze');
    if (DURING_THAW.includes(point)) return inHook('thaw');
    // The agent's own mark of a frozen guest.
    if (WHILE_FROZEN.includes(point))
      return behind(`until [ -e /run/qga.state.isfrozen ]; do usleep 10000; done; usleep 700000; ${gone}`);
    return null;
  };
  return {
    arm: async (lab, { point }) => {
      await lab.sh(`rm -f ${BACK}`);
      const script = armed(point);
      if (script) await lab.sh(script);
    },
    strike: async (lab, running, { point }) => {
      if (!armed(point)) await lab.sh(behind(`usleep 100000; ${gone}`));
      // What the agent is told in its hook, it is told by the step that waits.
      if (DURING_FREEZE.includes(point) || DURING_THAW.includes(point)) return running.go();
      await lab.agentIsSilent();
      running.go();
    },
    // A guest that was paused has had no time meanwhile: its agent may go only now, and is waited for.
    mend: async (lab) => {
      const limit = AbortSignal.timeout(30_000);
      const isBack = () =>
        lab
          .sh(`[ -e ${BACK} ]`)
          .then(() => true)
          .catch(() => false);
      while (!(await isBack())) {
        if (limit.aborted) throw new Error('the agent has not been away');
        await delay(50);
      }
      await lab.freezeStatus();
    },
  };
}
