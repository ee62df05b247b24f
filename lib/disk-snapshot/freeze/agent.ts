// One command to the guest's agent: typed, limited, and with its failures told apart. The guest is not trusted: its
// answers are checked before anybody relies on them.
import { type Domain, DomainState, ErrorDomain, ErrorNumber, LibvirtError } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';

/** What is needed of a domain to talk to the agent in it. */
export type AgentDomain = Pick<Domain, 'getName' | 'getState' | 'qemuAgentCommand'>;

/**
 * Why a command failed.
 *
 * - `'no-channel'`: the domain has no channel for an agent.
 * - `'unresponsive'`: no agent is connected, it hangs, or it went away during the command. What was sent may still run.
 * - `'late'`: we stopped waiting. What was sent may still run.
 * - `'not-running'`: the guest is paused or off.
 * - `'gone'`: the domain does not exist any more.
 * - `'busy'`: another call held the agent for the 30 s that libvirt waits for its turn.
 * - `'disabled'`: the agent does not run this command, by its configuration or because it is in frozen state.
 * - `'refused'`: the agent ran the command, and it failed.
 * - `'garbled'`: the answer is not what the command promises.
 * - `'denied'`: this connection may not talk to agents.
 * - `'unsupported'`: the hypervisor has no agents.
 * - `'lost'`: the connection to the hypervisor ended.
 * - `'failed'`: anything else that libvirt says.
 */
export type AgentFailure =
  | 'no-channel'
  | 'unresponsive'
  | 'late'
  | 'not-running'
  | 'gone'
  | 'busy'
  | 'disabled'
  | 'refused'
  | 'garbled'
  | 'denied'
  | 'unsupported'
  | 'lost'
  | 'failed';

/** After these the agent has not seen the command, and never will. */
const NEVER_RAN: ReadonlySet<AgentFailure> = new Set([
  'no-channel',
  'not-running',
  'gone',
  'busy',
  'disabled',
  'denied',
  'unsupported',
]);
/** After these the same command will not succeed later, whatever the guest does. */
const HOPELESS: ReadonlySet<AgentFailure> = new Set(['no-channel', 'disabled', 'denied', 'unsupported', 'lost']);

/** Rejection of `askAgent`. Not public: the facade's functions turn it into a DiskSnapshotError. */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  constructor(
    readonly failure: AgentFailure,
    readonly command: AgentCommand,
    message: string,
    cause?: unknown,
  ) {
    super(`${command}: ${message}`, cause === undefined ? undefined : { cause });
  }
  /** The command had no effect and will have none. */
  get neverRan(): boolean {
    return NEVER_RAN.has(this.failure);
  }
  get hopeless(): boolean {
    return HOPELESS.has(this.failure);
  }
}

// ---- the commands -------------------------------------------------------------------------------------------------

/** A disk as the guest sees it. Minus one stands for what the guest does not know. */
export interface AgentDisk {
  pci: { domain: number; bus: number; slot: number; function: number };
  bus: number;
  target: number;
  unit: number;
}
/** One mount. */
export interface AgentFilesystem {
  /** The block device, without `/dev/`: the same for all mounts of one file system. */
  name: string;
  mountpoint: string;
  type: string;
  /** Empty where the guest does not know. */
  disks: AgentDisk[];
}

type Fields = Readonly<Record<string, unknown>>;
class Unexpected extends Error {}

function expect<T>(value: unknown, fits: (value: unknown) => value is T, what: string): T {
  if (fits(value)) return value;
  throw new Unexpected(what);
}
const isObject = (v: unknown): v is Fields => typeof v === 'object' && v !== null && !Array.isArray(v);
const isList = (v: unknown): v is unknown[] => Array.isArray(v);
const isText = (v: unknown): v is string => typeof v === 'string';
const isInteger = (v: unknown): v is number => Number.isSafeInteger(v);
const isFlag = (v: unknown): v is boolean => typeof v === 'boolean';
const isCount = (v: unknown): v is number => isInteger(v) && v >= 0;
const isStatus = (v: unknown): v is 'thawed' | 'frozen' => v === 'thawed' || v === 'frozen';

function readDisk(value: unknown): AgentDisk {
  const { bus, target, unit, ...disk } = expect(value, isObject, 'a disk');
  const pci = expect(disk['pci-controller'], isObject, 'pci-controller');
  const number = (v: unknown) => expect(v, isInteger, 'an address');
  return {
    pci: {
      domain: number(pci.domain),
      bus: number(pci.bus),
      slot: number(pci.slot),
      function: number(pci.function),
    },
    bus: number(bus),
    target: number(target),
    unit: number(unit),
  };
}

function readFilesystem(value: unknown): AgentFilesystem {
  const { name, mountpoint, type, disk } = expect(value, isObject, 'a file system');
  return {
    name: expect(name, isText, 'name'),
    mountpoint: expect(mountpoint, isText, 'mountpoint'),
    type: expect(type, isText, 'type'),
    disks: expect(disk, isList, 'disk').map(readDisk),
  };
}

function readEnabledCommands(value: unknown): ReadonlySet<string> {
  const { supported_commands } = expect(value, isObject, 'the agent');
  const commands = expect(supported_commands, isList, 'supported_commands').map((c) =>
    expect(c, isObject, 'a command'),
  );
  return new Set(commands.filter((c) => c.enabled === true).map((c) => expect(c.name, isText, 'name')));
}

function readPid(value: unknown): number {
  return expect(expect(value, isObject, 'a program').pid, isCount, 'pid');
}

function readExited(value: unknown): boolean {
  return expect(expect(value, isObject, 'a state').exited, isFlag, 'exited');
}

/** Each command with its answer. Those of freezing run in the frozen state, but for the freeze itself. */
const ANSWERS = {
  'guest-info': readEnabledCommands,
  'guest-get-fsinfo': (v: unknown) => expect(v, isList, 'a list').map(readFilesystem),
  'guest-fsfreeze-status': (v: unknown) => expect(v, isStatus, 'thawed or frozen'),
  /** Arguments: `mountpoints`; an empty list would mean all. Answers how many file systems it froze. */
  'guest-fsfreeze-freeze-list': (v: unknown) => expect(v, isCount, 'a count'),
  /** Answers how many file systems it thawed. */
  'guest-fsfreeze-thaw': (v: unknown) => expect(v, isCount, 'a count'),
  /** Arguments: `path`, `arg`. Answers the process id. Not while frozen, like the next. */
  'guest-exec': readPid,
  /** Arguments: `pid`. Answers whether it has ended; of one that had, the agent then knows no more. */
  'guest-exec-status': readExited,
} as const;
export type AgentCommand = keyof typeof ANSWERS;
export type AgentAnswer<C extends AgentCommand> = ReturnType<(typeof ANSWERS)[C]>;

// ---- asking -------------------------------------------------------------------------------------------------------

/**
 * `signal` and `timeoutMs` end our waiting, not the command: an abandoned one may still run. Whoever must know how it
 * ended passes neither, and gets libvirt's own answer.
 */
export interface AskOptions extends CallOptions {
  /**
   * How long libvirt waits for the agent's answer, in milliseconds, rounded up to its seconds. Before that it waits up
   * to 30 s for other agent calls on the domain and up to 5 s for a sign of life.
   */
  limitMs: number;
  arguments?: Readonly<Record<string, unknown>>;
  /** For what must get through while other calls are stuck. */
  urgent?: boolean;
}

/**
 * Asks the agent. virDomainQemuAgentCommand.
 *
 * @throws AgentError; an aborted `signal` rejects with its reason.
 */
export async function askAgent<C extends AgentCommand>(
  domain: AgentDomain,
  command: C,
  { limitMs, arguments: args, ...call }: AskOptions,
): Promise<AgentAnswer<C>> {
  const text = JSON.stringify({ execute: command, ...(args && { arguments: args }) });
  let answer: string;
  try {
    answer = await domain.qemuAgentCommand(text, Math.max(1, Math.ceil(limitMs / 1000)), call);
  } catch (error) {
    call.signal?.throwIfAborted();
    throw classify(command, error);
  }
  return readAnswer(command, answer);
}

function readAnswer<C extends AgentCommand>(command: C, text: string): AgentAnswer<C> {
  try {
    const reply = expect(JSON.parse(text), isObject, 'an object');
    return ANSWERS[command](reply.return) as AgentAnswer<C>;
  } catch (error) {
    if (!(error instanceof Unexpected) && !(error instanceof SyntaxError)) throw error;
    throw new AgentError('garbled', command, `the agent's answer makes no sense (${error.message})`, error);
  }
}

const FAILURES: Readonly<Record<number, AgentFailure>> = {
  [ErrorNumber.ARGUMENT_UNSUPPORTED]: 'no-channel',
  [ErrorNumber.AGENT_UNRESPONSIVE]: 'unresponsive',
  [ErrorNumber.AGENT_UNSYNCED]: 'unresponsive',
  [ErrorNumber.OPERATION_INVALID]: 'not-running',
  [ErrorNumber.OPERATION_TIMEOUT]: 'busy',
  [ErrorNumber.NO_DOMAIN]: 'gone',
  [ErrorNumber.OPERATION_DENIED]: 'denied',
  [ErrorNumber.ACCESS_DENIED]: 'denied',
  [ErrorNumber.AUTH_CANCELLED]: 'denied',
  [ErrorNumber.NO_SUPPORT]: 'unsupported',
  [ErrorNumber.RPC]: 'lost',
  [ErrorNumber.INVALID_CONN]: 'lost',
};

// libvirt passes on the agent's words, which are English whatever the locale.
const DISABLED = /CommandNotFound|CommandDisabled|has not been found|has been disabled|not allowed/i;

/** By name: a DOMException of another realm is no Error by `instanceof`. */
const isTimeout = (error: unknown) => isObject(error) && error.name === 'TimeoutError';

function classify(command: AgentCommand, error: unknown): unknown {
  if (isTimeout(error)) return new AgentError('late', command, 'no answer in time', error);
  if (!(error instanceof LibvirtError)) return error;
  return new AgentError(failureOf(error), command, error.message, error);
}

function failureOf(error: LibvirtError): AgentFailure {
  const known = FAILURES[error.code];
  if (known !== undefined) return known;
  if (error.domain === ErrorDomain.RPC || error.domain === ErrorDomain.REMOTE) return 'lost';
  if (error.code !== ErrorNumber.INTERNAL_ERROR) return 'failed';
  return DISABLED.test(error.message) ? 'disabled' : 'refused';
}

/** Whether the guest is off: then nothing in it is frozen. A domain that is gone is off. */
export async function isOff(domain: AgentDomain, call: CallOptions = {}): Promise<boolean> {
  try {
    const { state } = await domain.getState(call);
    return state === DomainState.SHUTOFF || state === DomainState.CRASHED;
  } catch (error) {
    if (error instanceof LibvirtError && error.code === ErrorNumber.NO_DOMAIN) return true;
    throw error;
  }
}
