import { Command } from 'commander';
import { type Recovery, recoverDiskSnapshots } from '../../index';
import type { Frame } from '../action';

export const recoverCommand = (frame: Frame): Command =>
  new Command('recover')
    .summary('after a crash: what was begun is finished or undone, the guest thawed')
    .argument('<guest...>', 'name, UUID or id')
    .action(
      frame<[string[]], object>(async (session, [named]) => {
        const guests: ({ guest: string } & Recovery)[] = [];
        for (const guest of await session.guests(named)) {
          const name = guest.getName();
          session.begin({ guest: name, leaves: `The recovery of ${name} is not complete` });
          guests.push({ guest: name, ...(await recoverDiskSnapshots(guest, session.operation)) });
        }
        session.output.result({ guests }, () => guests.map(describe).join('\n'));
        return undefined;
      }),
    );

function describe({ guest, finished, undone, thawed, resumed }: { guest: string } & Recovery): string {
  const done = [
    ...finished.map((name) => `finished ${name}`),
    ...undone.map((name) => `undid ${name}`),
    ...(thawed ? ['thawed the guest'] : []),
    ...(resumed ? ['resumed the guest'] : []),
  ];
  return `${guest}: ${done.join(', ') || 'nothing to recover'}`;
}
