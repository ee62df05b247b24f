// Typed parameters: what may be set is what the addon's schemas have, and what is told is what libvirt's description names, each
// with its type.
import { describe, expect, test } from '@jest/globals';
import { memberName } from '../../lib/libvirt/member-name';
import { native } from '../../lib/native';
import { apiMacros } from './libvirt-api';
import { declared, fields, fieldsOf, kindOf } from './mirror-declarations';

/** VIR_TYPED_PARAM_*: how each is set. */
const SET: Readonly<Record<number, string>> = {
  1: 'number',
  2: 'number',
  3: 'number | bigint',
  4: 'number | bigint',
  5: 'number',
  6: 'boolean',
  7: 'string',
};

describe('what may be set', () => {
  const taking = native.functions.filter(({ params }) => params.length > 0);

  test('is there for the functions that take typed parameters', () => {
    expect(taking.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['virDomainSetBlockIoTune', 'virDomainMigrate3']),
    );
    expect(taking.length).toBeGreaterThan(15);
  });

  test.each(taking.map((line) => [line.name, line] as const))('%s', (name, { receiver, params }) => {
    const member = declared(receiver).get(memberName(name, receiver));
    const parameter = member?.parameters.find((each) => each.name === 'params');
    const types = parameter && Object.entries(fields(checkedType(parameter.type)));
    const schema = params.map(({ name: field, type, isList }) => [field, isList ? 'readonly string[]' : SET[type]]);
    const declaredTypes = types?.map(([field, type]) => [field, type.startsWith('readonly') ? type : kindOf(type)]);
    expect(Object.fromEntries(declaredTypes ?? [])).toEqual(Object.fromEntries(schema));
  });
});

/** Not null. */
const checkedType = (type: Parameters<typeof fields>[0]) => type.getNonNullableType();

/** Interfaces, and what the macros begin with that name their fields. */
const TOLD: readonly [name: string, macros: RegExp][] = [
  ['BlockIoTuneTold', /^VIR_DOMAIN_BLOCK_IOTUNE_/],
  ['BlkioParametersTold', /^VIR_DOMAIN_BLKIO_/],
  ['MemoryParametersTold', /^VIR_DOMAIN_MEMORY_(HARD|SOFT|MIN|SWAP)/],
  ['NumaParametersTold', /^VIR_DOMAIN_NUMA_/],
  ['SchedulerParametersTold', /^VIR_DOMAIN_SCHEDULER_/],
  ['PerfEventsTold', /^VIR_PERF_PARAM_/],
  ['BandwidthTold', /^VIR_DOMAIN_BANDWIDTH_/],
  ['BandwidthTold', /^VIR_NETWORK_PORT_BANDWIDTH_/],
  ['BlockStatsTold', /^VIR_DOMAIN_BLOCK_STATS_/],
  ['CPUStatsTold', /^VIR_DOMAIN_CPU_STATS_/],
  ['JobStatsTold', /^VIR_DOMAIN_JOB_/],
  ['LaunchSecurityInfoTold', /^VIR_DOMAIN_LAUNCH_SECURITY_SEV_(?!SECRET)/],
  ['SEVInfoTold', /^VIR_NODE_SEV_/],
  ['NodeMemoryParametersTold', /^VIR_NODE_MEMORY_SHARED_/],
  ['NodeCPUStats', /^VIR_NODE_CPU_STATS_/],
  ['NodeMemoryStats', /^VIR_NODE_MEMORY_STATS_/],
  ['TunableTold', /^VIR_DOMAIN_TUNABLE_(?!CPU_(VCPUPIN|IOTHREADSPIN))/],
];

/** Of a macro's text, where it tells the type at all. */
function typeIn(info: string): string | null {
  const [, named] =
    /(?:\bas (?:an? )?(?:VIR_TYPED_PARAMS?_)?|Type is VIR_TYPED_PARAM_)(u?llong|u?int|string|boolean)\b/i.exec(info) ??
    [];
  if (named === undefined) return null;
  return /llong/i.test(named) ? 'bigint' : /int/i.test(named) ? 'number' : named.toLowerCase();
}

describe('what is told', () => {
  test.each(TOLD)('%s has the names that the description has: %s', (name, pattern) => {
    const macros = [...apiMacros].filter(([macro]) => pattern.test(macro));
    expect(macros.length).toBeGreaterThan(1);
    const types = fieldsOf(name);
    expect(Object.keys(types).sort()).toEqual(macros.map(([, { value }]) => value).sort());
    for (const [macro, { value, info }] of macros) {
      const described = typeIn(info);
      if (described !== null) expect([macro, kindOf(types[value] ?? '')]).toEqual([macro, described]);
    }
  });

  test('a getter tells no unnamed typed parameters: only the statistics of a guest, whose names are without end', () => {
    const unnamed = ['Domain', 'Connection', 'NetworkPort'].flatMap((receiver) =>
      [...declared(receiver)].filter(([, { result }]) => /TypedParams|Record</.test(result)).map(([name]) => name),
    );
    expect(unnamed).toEqual([]);
  });
});
