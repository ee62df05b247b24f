import { Command } from 'commander';
import { diagnose, type Finding } from '../../index';
import type { Frame } from '../action';
import { EXIT } from '../exit-codes';
import { type Output, printable } from '../output';

interface Examined {
  guest: string;
  findings: readonly Finding[];
}

export const doctorCommand = (frame: Frame): Command =>
  new Command('doctor')
    .summary('holds records, XML, QEMU and images against each other')
    .argument('[guest...]', 'name, UUID or id; default: all guests')
    .option('--fix', 'mend what is safe to mend')
    .action(
      frame<[string[]], { fix?: boolean }>(async (session, [named], { fix = false }) => {
        const guests: Examined[] = [];
        for (const guest of await session.guests(named)) {
          const name = guest.getName();
          if (fix) session.begin({ guest: name, leaves: `Of ${name} only part may be mended` });
          guests.push({ guest: name, findings: await diagnose(guest, { fix, ...session.operation }) });
        }
        session.output.result({ guests }, () => guests.map((one) => describe(session.output, one)).join('\n'));
        const isLeft = guests.some(({ findings }) => findings.some(({ fixed }) => !fixed));
        return isLeft ? EXIT.FINDINGS : EXIT.DONE;
      }),
    );

function describe(output: Output, { guest, findings }: Examined): string {
  if (findings.length === 0) return `${printable(guest)}: ${output.paint('green', 'nothing found')}`;
  return findings
    .map(({ code, message, advice, fixable, fixed }) => {
      const title = fixed ? output.paint('green', `${code}, mended`) : output.paint('red', code);
      const way = fixed ? [] : [`  ${printable(advice)}${fixable ? ' (disksnap doctor --fix)' : ''}`];
      return [`${title}  ${printable(message)}`, ...way].join('\n');
    })
    .join('\n');
}
