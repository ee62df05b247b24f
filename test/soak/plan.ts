// What will happen, drawn from a seed: operations on each guest, faults beside them, and deaths of the daemon.
import fc from 'fast-check';

/** Each disk lies where another method is at home. */
export const DISKS = ['vda', 'vdb', 'vdc'] as const;

const METHODS: Readonly<Record<(typeof DISKS)[number], readonly object[]>> = {
  vda: [{ method: 'qemu' }, { method: 'qemu', mode: 'internal' }],
  vdb: [{ method: 'btrfs' }, { method: 'qemu' }],
  vdc: [{ method: 'reflink' }, { method: 'qemu' }],
};

export type Operation =
  /** `instead`, where there are many: which is deleted. */
  | {
      do: 'create';
      disks: Readonly<Record<string, object>>;
      quiesce: 'required' | 'preferred' | 'never';
      instead: number;
    }
  /** `which`, `part`: numbers that are taken modulo what there is; part null: the whole set. */
  | { do: 'delete'; which: number; part: number | null }
  /** Of a guest that runs, with force. */
  | { do: 'revert'; which: number; part: number | null }
  | { do: 'export'; which: number; part: number }
  | { do: 'read'; which: number; part: number; bytes: number }
  | { do: 'quiesce'; holdMs: number; maxFreezeMs: number }
  | { do: 'recover' }
  | { do: 'diagnose'; fix: boolean };

export type Fault =
  | { kind: 'none' }
  | { kind: 'process killed' | 'QEMU killed'; afterMs: number }
  | { kind: 'deadline'; afterMs: number }
  | { kind: 'agent stopped' | 'agent killed'; afterMs: number; forMs: number };

export interface Step {
  operation: Operation;
  fault: Fault;
  restMs: number;
}

export interface DaemonDeath {
  afterMs: number;
  downMs: number;
}

const ms = (min: number, max: number) => fc.integer({ min, max });
const index = fc.nat(99);

const disks = fc
  .subarray([...DISKS], { minLength: 1 })
  .chain((chosen) =>
    fc
      .tuple(...chosen.map((disk) => fc.constantFrom(...METHODS[disk])))
      .map((methods) => Object.fromEntries(chosen.map((disk, at) => [disk, methods[at] ?? {}]))),
  );

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant('create' as const),
      disks,
      quiesce: fc.constantFrom('required' as const, 'preferred' as const, 'never' as const),
      instead: index,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('delete' as const), which: index, part: fc.option(index, { freq: 3 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('revert' as const), which: index, part: fc.option(index, { freq: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('export' as const), which: index, part: index }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      which: index,
      part: index,
      bytes: fc.integer({ min: 1, max: 32 * 1024 * 1024 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('quiesce' as const), holdMs: ms(0, 1500), maxFreezeMs: ms(1000, 5000) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'recover' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('diagnose' as const), fix: fc.boolean() }) },
);

const none = { weight: 6, arbitrary: fc.constant({ kind: 'none' as const }) };
const deadline = {
  weight: 1,
  arbitrary: fc.record({ kind: fc.constant('deadline' as const), afterMs: ms(1, 1500) }),
};
const agent = {
  weight: 2,
  arbitrary: fc.record({
    kind: fc.constantFrom('agent stopped' as const, 'agent killed' as const),
    afterMs: ms(0, 800),
    forMs: ms(100, 3000),
  }),
};
const qemu = {
  weight: 1,
  arbitrary: fc.record({ kind: fc.constant('QEMU killed' as const), afterMs: ms(0, 1500) }),
};
const killed = {
  weight: 4,
  arbitrary: fc.record({ kind: fc.constant('process killed' as const), afterMs: ms(0, 1500) }),
};

const draw = <T>(arbitrary: fc.Arbitrary<T>, seed: number, count: number): T[] =>
  fc.sample(fc.noBias(arbitrary), { seed, numRuns: count });

/** The same seed and guest: the same steps. A process that is to live for the whole soak is not killed. */
export function stepsOf(seed: number, guest: number, mayBeKilled: boolean, count: number): Step[] {
  const fault: fc.Arbitrary<Fault> = mayBeKilled
    ? fc.oneof(none, deadline, agent, qemu, killed)
    : fc.oneof(none, deadline, agent, qemu);
  return draw(fc.record({ operation, fault, restMs: ms(0, 1000) }), seed + 1 + guest, count);
}

export function daemonDeaths(seed: number, count: number): DaemonDeath[] {
  return draw(fc.record({ afterMs: ms(10_000, 45_000), downMs: ms(0, 3000) }), seed, count);
}

/** In which order a guest's snapshots are deleted at the end: each number is taken modulo how many there are left. */
export function lastOrder(seed: number, guest: number, count: number): number[] {
  return draw(index, seed + 1 + guest, count);
}
