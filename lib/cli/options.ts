// Options that several commands share, under virsh's names where it has one.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { chooseDisks, type DiskOptions } from './disks';

export interface GlobalOptions {
  connect?: string;
  json?: boolean;
  readonly?: boolean;
  /** Milliseconds. */
  timeout?: number;
}

export const seconds = (text: string): number => {
  const value = Math.round(Number(text) * 1000);
  if (text.trim() !== '' && value >= 1 && value < 2 ** 31) return value;
  throw new InvalidArgumentError('It is a number of seconds, such as 30 or 0.5.');
};
export const wholeNumber = (text: string): number => {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number.');
};
export const collect = (text: string, before: readonly string[] = []): string[] => [...before, text];
const label = (text: string, before: Record<string, string> = {}): Record<string, string> => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It is KEY=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
};

export function addGlobalOptions(program: Command): Command {
  return program
    .option('-c, --connect <uri>', "the hypervisor; default: $LIBVIRT_DEFAULT_URI, else libvirt's own default")
    .option('-r, --readonly', 'connect readonly: enough to list and show')
    .option('--json', 'one JSON document instead of text; a failure is one on stderr')
    .option('--timeout <seconds>', 'give up, and take back, after that time', seconds);
}

/** What a snapshot is made of and how; `plan`, `create` and `backup` understand all of them. */
export interface SnapshotOptions extends DiskOptions {
  name?: string;
  quiesce?: boolean;
  pause: boolean;
  strict?: boolean;
}
/** What only matters once it is made. */
export interface CreationOptions extends SnapshotOptions {
  description?: string;
  label?: Record<string, string>;
  maxFreeze?: number;
  guard: boolean;
  deadman?: boolean;
}

export function addDiskOption(command: Command): Command {
  return command.option('--disk <target>', 'only this disk (may be repeated); default: all', collect);
}

/** Options of `virsh snapshot-create-as` that say what is always so here, or what is not done here. */
const VIRSH_ALWAYS = ['--disk-only', '--atomic', '--no-metadata'];
const VIRSH_REFUSED: Readonly<Record<string, string>> = {
  '--memspec <spec>': 'memory is not saved: a disk snapshot holds disks alone; virsh snapshot-create-as saves both',
  '--live': 'it belongs to --memspec, and there is none here; the guest runs on anyway',
  '--halt': 'the guest is not stopped; use virsh shutdown afterwards',
  '--reuse-external': 'overlays are made, checked and recorded here; name a new file with --diskspec DISK,file=PATH',
  '--print-xml': 'there is no XML that could be printed; disksnap plan tells what would be done',
};

export function addSnapshotOptions(command: Command): Command {
  command
    .option('--name <name>', 'default: a sortable UTC time stamp')
    .option('--disk <target[=method]>', 'this disk (may be repeated), by this method; default: all', collect)
    .option('--method <method>', 'for disks without one of their own: a name or <diskSnapshot> XML')
    .option('--diskspec <spec>', "virsh's: DISK[,snapshot=no|external|internal][,file=PATH]; others as usual", collect)
    .option('--quiesce', 'fail unless all file systems on the disks are frozen; default: freeze if that is possible')
    .option('--no-quiesce', 'do not ask the agent')
    .option('--no-pause', 'never pause the guest for one instant of all disks')
    .option('--strict', 'refuse a disk for which no method was named');
  for (const flag of VIRSH_ALWAYS) command.addOption(new Option(flag).hideHelp());
  for (const [flags, why] of Object.entries(VIRSH_REFUSED)) {
    const option = new Option(flags).hideHelp();
    command.addOption(option).on(`option:${option.name()}`, () => command.error(`${option.long}: ${why}`));
  }
  return command;
}

export function addCreationOptions(command: Command): Command {
  return addSnapshotOptions(command)
    .option('--description <text>', 'kept with the snapshot')
    .option('--label <key=value>', 'kept with the snapshot (may be repeated)', label)
    .option('--max-freeze <seconds>', 'the longest time that the guest may stand frozen; default 10', seconds)
    .option('--no-guard', 'no process that thaws the guest if this one dies')
    .option('--deadman', 'also leave a sleeping thaw in the guest');
}

const given = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });

export function planOptionsOf(options: SnapshotOptions) {
  const { quiesce, name, pause, strict = false } = options;
  const how = quiesce === undefined ? 'preferred' : quiesce ? 'required' : 'never';
  const disks = chooseDisks(options);
  return { disks, strict, quiesce: how, pause: pause ? 'auto' : false, ...given('name', name) } as const;
}

export function creationOptionsOf(options: CreationOptions) {
  const { guard, deadman = false, description, label: labels, maxFreeze } = options;
  return {
    ...planOptionsOf(options),
    guard,
    deadman,
    ...given('description', description),
    ...given('labels', labels),
    ...given('maxFreezeMs', maxFreeze),
  };
}
