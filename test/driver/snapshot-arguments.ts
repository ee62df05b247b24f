// Disk selections and options of a snapshot, right and wrong, and what each means: told apart here without the code that is tried.
import fc from 'fast-check';
import { Domain } from '../../lib';
import { hostileValue } from './hostile-values';

/** A value, and whether it may be accepted. */
interface Candidate {
  readonly value: unknown;
  readonly isRight: boolean;
}
const right = (value: unknown): Candidate => ({ value, isRight: true });
const wrong = (value: unknown): Candidate => ({ value, isRight: false });

/** What was selected: targets in their order; null: it has to be refused. */
export interface Selection {
  readonly disks: unknown;
  readonly targets: readonly string[] | null;
}

/** Of the guest that is tried. */
export interface Images {
  readonly writable: ReadonlyMap<string, string>;
  /** They can be named, but hold nothing that a snapshot could be of. */
  readonly others: readonly string[];
}

const HOSTILE = hostileValue([Object.create(Domain.prototype)]);
const sparse = (list: unknown[]): unknown[] => Object.assign(new Array(list.length + 1), list);

/** Every way to name a disk, with its target; and strings that name none. */
function names({ writable, others }: Images): ReadonlyMap<string, string | null> {
  const known = [...writable].flatMap(([target, path]): [string, string][] => [
    [target, target],
    [path, target],
    [`<disk><target dev='${target}'/></disk>`, target],
    [`<disk><source file='${path}'/></disk>`, target],
  ]);
  const unknown = [
    '',
    ' vda',
    'VDA',
    'vdz',
    '/nowhere',
    '../a',
    '__proto__',
    'constructor',
    '0',
    'all',
    'vda\0',
    '\ud800',
  ];
  const badXml = ['<', '<disk/>', '<disk>', "<domain><target dev='vda'/></domain>", "<disk><target dev='vdz'/></disk>"];
  return new Map([
    ...known,
    ...others.map((target): [string, string] => [target, target]),
    ...[...unknown, ...badXml].map((name): [string, null] => [name, null]),
  ]);
}

const METHODS: readonly Candidate[] = [
  ...['qemu', 'rbd', 'zfs', "<diskSnapshot method='qemu'/>", { method: 'acme', zone: 7 }, null].map(right),
  ...[{ method: 'qemu' }, { method: 'qemu', source: '/nowhere/at/all/x' }].map(right),
  ...['', ' ', '-', 'a b', '<', '<disk/>', '<diskSnapshot/>', "<diskSnapshot method='qemu' mode='no'/>", 7, true].map(
    wrong,
  ),
  ...[undefined, [], ['qemu'], {}, { method: 7 }, { method: 'qemu', sauce: '/x' }, () => 'qemu', Symbol('qemu')].map(
    wrong,
  ),
  ...[
    { method: 'qemu', source: 'x' },
    { method: 'lvm', bytes: 1.5 },
    { method: 'rbd', source: '/x' },
  ].map(wrong),
];

/** What `disks` may be given: 'all', lists and objects, mixed and torn; or what nobody should give. */
export function selections(images: Images): fc.Arbitrary<Selection> {
  const targetOf = names(images);
  const all = [...images.writable.keys()];
  const name = fc.constantFrom(...targetOf.keys());
  const good = fc.constantFrom(...[...targetOf].flatMap(([each, target]) => (target === null ? [] : [each])));
  const isOnce = (targets: readonly unknown[]) => targets.length > 0 && new Set(targets).size === targets.length;

  const selected = (targets: readonly (string | null | undefined)[]): readonly string[] | null => {
    const found = targets.filter((target) => typeof target === 'string');
    return found.length === targets.length && isOnce(found) ? found : null;
  };
  const ofList = (disks: unknown[]): Selection => ({
    disks,
    targets: selected(Array.from(disks, (each) => (typeof each === 'string' ? targetOf.get(each) : null))),
  });
  const list = fc.oneof(
    { weight: 4, arbitrary: fc.array(good, { maxLength: 4 }) },
    { weight: 2, arbitrary: fc.array(fc.oneof(good, name, HOSTILE), { maxLength: 4 }) },
    { weight: 1, arbitrary: fc.array(good, { maxLength: 3 }).map(sparse) },
  );

  const ofEntries = (entries: [string, Candidate | false][]): Selection => {
    const methods = new Map(entries);
    const others = methods.get('*');
    methods.delete('*');
    const named = [...methods].map(([each, method]) => ({ target: targetOf.get(each), method }));
    const unnamed = all
      .filter((target) => !named.some((one) => one.target === target))
      .map((target) => ({ target, method: others }));
    const hasOthers = others !== undefined && (others === false || others.value !== undefined);
    const chosen = (hasOthers ? [...named, ...unnamed] : named).filter(({ method }) => method !== false);
    const isRight =
      named.every(({ target }) => typeof target === 'string') &&
      chosen.every(({ method }) => method !== false && method?.isRight);
    return {
      disks: Object.fromEntries(entries.map(([each, method]) => [each, method === false ? false : method.value])),
      targets: isRight ? selected(chosen.map(({ target }) => target)) : null,
    };
  };
  const method = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...METHODS.filter(({ isRight }) => isRight)) },
    fc.constant<false>(false),
    fc.constantFrom(...METHODS),
  );
  const key = fc.oneof({ weight: 4, arbitrary: good }, fc.constant('*'), name);
  const entries = fc.array(fc.tuple(key, method), { maxLength: 4 });

  return fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom({ disks: 'all', targets: all }, { disks: undefined, targets: all }) },
    { weight: 4, arbitrary: list.map(ofList) },
    { weight: 4, arbitrary: entries.map(ofEntries) },
    { weight: 1, arbitrary: list.map((each) => ({ disks: new Set(each), targets: null })) },
    { weight: 2, arbitrary: HOSTILE.filter((value) => value !== undefined).map((disks) => ({ disks, targets: null })) },
  );
}

// ---- options -------------------------------------------------------------------------------------------------------------

const NUMBERS = ['1', 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 1n, null, {}];
const NO_BOOLEANS = [0, 1, 'true', null, [], {}];

/** Of each option of a plan: right values, and wrong ones. */
const OF_PLAN: Record<string, readonly Candidate[]> = {
  name: [...['monday', '…', "it's <b> & $(x)"].map(right), ...[7, null, ['monday'], {}, Symbol('s')].map(wrong)],
  quiesce: [...['preferred', 'never'].map(right), ...['', 'yes', true, null, {}, ['never'], 1].map(wrong)],
  pause: [...['auto', false].map(right), ...[true, 'never', null, 0, {}].map(wrong)],
  strict: [right(false), ...NO_BOOLEANS.map(wrong)],
  timeoutMs: [right(60_000), ...NUMBERS.map(wrong)],
  signal: [right(new AbortController().signal), ...[null, {}, 7, new AbortController()].map(wrong)],
};
/** Of a snapshot, besides. Flags have their own rule. */
const OF_SNAPSHOT: Record<string, readonly Candidate[]> = {
  description: [...['', 'why', '\ud800 <&>'].map(right), ...[7, {}, ['why']].map(wrong)],
  labels: [
    ...[{}, { a: 'b' }, JSON.parse('{"__proto__":"x","":""}')].map(right),
    ...[null, 7, 'a', ['a'], { a: 7 }, { a: null }, new Map([['a', 'b']])].map(wrong),
  ],
  maxFreezeMs: [right(5000), ...NUMBERS.map(wrong)],
  guard: [right(true), right(false), ...NO_BOOLEANS.map(wrong)],
  deadman: [right(false), ...NO_BOOLEANS.map(wrong)],
  onProgress: [right(() => {}), ...[7, 'log', {}, null].map(wrong)],
};
const MISSPELT = ['quiesced', 'disk', 'maxFreezeMS', 'Name', 'label', 'flag', 'constructor', ''];

export interface Options {
  readonly options: Readonly<Record<string, unknown>>;
  readonly isRight: boolean;
}

function some(table: Record<string, readonly Candidate[]>): fc.Arbitrary<[string, Candidate][]> {
  const one = ([name, candidates]: [string, readonly Candidate[]]) => {
    const good = candidates.filter(({ isRight }) => isRight);
    const value = fc.oneof({ weight: 15, arbitrary: fc.constantFrom(...good) }, fc.constantFrom(...candidates));
    return fc
      .option(value, { nil: right(undefined), freq: 2 })
      .map((candidate): [string, Candidate] => [name, candidate]);
  };
  return fc.tuple(...Object.entries(table).map(one));
}

const misspelt = fc.oneof(
  { weight: 8, arbitrary: fc.constant<[string, Candidate][]>([]) },
  fc.constantFrom(...MISSPELT).map((name): [string, Candidate][] => [[name, wrong(true)]]),
);

const optionsOf = (candidates: [string, Candidate][]): Options => ({
  options: Object.fromEntries(candidates.map(([name, { value }]) => [name, value])),
  isRight: candidates.every(([, { isRight }]) => isRight),
});

/** Of `planSnapshot`, but for its disks. */
export const planOptions: fc.Arbitrary<Options> = fc
  .tuple(some(OF_PLAN), misspelt)
  .map(([candidates, more]) => optionsOf([...candidates, ...more]));

const flags = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  fc.constantFrom<unknown>(0, 1),
  fc.constantFrom<unknown>(2, 3, -1, 0.5, '1', null, [1], 1n, Number.NaN),
);

/** Of `snapshotDisks` and `diskSnapshotCreate`, but for the disks. */
export const snapshotOptions: fc.Arbitrary<Options> = fc
  .tuple(some({ ...OF_PLAN, ...OF_SNAPSHOT }), flags, misspelt)
  .map(([candidates, value, more]) => {
    const { options, isRight } = optionsOf([...candidates, ...more]);
    const fits = value === undefined || ((value === 0 || value === 1) && options.quiesce === undefined);
    return { options: { ...options, ...(value === undefined ? {} : { flags: value }) }, isRight: isRight && fits };
  });

/** Of `diskSnapshotCreate`: its disk, and its method. */
export function oneDisk(images: Images): fc.Arbitrary<{ disk: unknown; method: unknown; isRight: boolean }> {
  const targetOf = names(images);
  const disk = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...targetOf.keys()) },
    { weight: 1, arbitrary: HOSTILE },
  );
  const method = fc.constantFrom(...METHODS);
  return fc.tuple(disk, method).map(([each, { value, isRight }]) => ({
    disk: each,
    method: value,
    isRight: isRight && typeof each === 'string' && typeof targetOf.get(each) === 'string',
  }));
}
