// The addon's tables say what C signatures leave open. Whether they say it rightly, libvirt's description of its own API knows.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  DomainGetHostnameFlags,
  DomainInterfaceAddressesSource,
  DomainRebootFlagValues,
  DomainShutdownFlagValues,
  DomainSnapshotCreateFlags,
  DomainVcpuFlags,
} from '../../lib/libvirt';
import { type NativeFunction, native } from '../../lib/native';
import { type ApiFunction, apiCallbacks, apiFunctions, eventIds } from './libvirt-api';

const CONSTANTS = join(__dirname, '..', '..', 'lib', 'libvirt', 'generated', 'constants.ts');

/** Members that belong to another class than that of their first C parameter. */
const MOVED: Readonly<Record<string, string>> = {
  virDomainRevertToSnapshot: 'Domain',
  virDomainListGetStats: 'Connection',
};

/** What may be null although its description does not say so: tried, or said in the function's text. */
const NULLABLE_ALL_THE_SAME: ReadonlySet<string> = new Set([
  'virConnectGetDomainCapabilities emulatorbin',
  'virConnectGetDomainCapabilities arch',
  'virConnectGetDomainCapabilities machine',
  'virConnectGetDomainCapabilities virttype',
  'virDomainGetMetadata uri',
  'virDomainSetMetadata metadata',
  'virNetworkGetMetadata uri',
  'virNetworkSetMetadata metadata',
  'virDomainFSFreeze mountpoints',
  'virDomainFSThaw mountpoints',
  'virDomainFSTrim mountPoint',
  // numbers whose absence means 0: all kinds
  'virConnectGetAllDomainStats stats',
  'virDomainListGetStats stats',
  'virDomainGetGuestInfo types',
  'virConnectGetMaxVcpus type',
  ...['virConnectCompareHypervisorCPU', 'virConnectBaselineHypervisorCPU'].flatMap((name) =>
    ['emulator', 'arch', 'machine', 'virttype'].map((parameter) => `${name} ${parameter}`),
  ),
  'virConnectFindStoragePoolSources srcSpec',
  'virNodeNumOfDevices cap',
  'virNodeListDevices cap',
  // without flags: none are left
  'virDomainAuthorizedSSHKeysSet keys',
]);

/** What numbers are called that are bits: the last argument is not among them. */
const BITS = /^(flags|stats|types)$/;

/** What comes back where the description only tells it in its text. */
const RESULT_ALL_THE_SAME: Readonly<Record<string, string>> = { virStreamRecvFlags: 'Count' };

const isText = (type: string) => /^const char \*|Ptr$/.test(type);

/** Every way in which a line contradicts the description. */
function contradictions(line: NativeFunction, api: ApiFunction | undefined): string[] {
  if (api === undefined) return ['libvirt has no such function'];
  const wrong: string[] = [];
  const check = (what: string, said: unknown, described: unknown) => {
    if (said !== described) wrong.push(`${what}: the line says ${said}, libvirt ${described}`);
  };
  const receiver = /^vir(\w+)Ptr$/.exec(api.args[0]?.type ?? '')?.[1]?.replace(/^Connect$/, 'Connection');
  check('receiver', line.receiver, MOVED[line.name] ?? receiver);

  const last = api.args.at(-1);
  check('flags', line.hasFlags, last?.type === 'unsigned int' && last.name === 'flags');
  if (line.resultTag !== 'Adapted') {
    check('result', line.resultTag, RESULT_ALL_THE_SAME[line.name] ?? describedTag(line, api));
  }

  if (line.outNames.length > 0) {
    // A count of typed parameters is no result of its own.
    const outs = api.args.filter(
      ({ type, name }) => /^[\w ]+\*+$/.test(type) && !/^const/.test(type) && name !== 'nparams',
    );
    // An adapter gives in an order of its own, and an array for a pointer and its length.
    const names = outs.map(({ name }) => name);
    const ours = line.resultTag === 'Adapted' ? line.outNames.filter((name) => names.includes(name)) : names;
    check('out-parameters', line.outNames.join(), ours.join());
  }
  for (const [position, { name, type, info }] of api.args.entries()) {
    if (!line.positions.includes(position)) continue;
    check(`bits in '${name}'`, line.bits.includes(position), /^unsigned/.test(type) && BITS.test(name));
    const key = `${line.name} ${name}`;
    const described =
      (isText(type) && /\bNULL\b(?!-terminated)|optional/i.test(info)) || NULLABLE_ALL_THE_SAME.has(key);
    check(`null for '${name}'`, line.nullable.includes(position), described);
  }
  return wrong;
}

function describedTag(line: NativeFunction, { returns: { type, info } }: ApiFunction): string {
  if (type === 'unsigned long' || type === 'unsigned long long') return 'NotZero';
  if (type === 'unsigned int') return /\bID\b|identifier/i.test(info) ? 'Id' : `nothing known for unsigned: ${info}`;
  if (type !== 'int') return 'Status';
  if (/(number|count) (of|currently)/.test(info)) return line.countsList ? 'Status' : 'Count';
  if (/\b0 when nothing found\b|\b0 in case of no emulator threads\b/.test(info)) return 'OrNull';
  if (/according to enum|the maximum of|positive integer identifying|an fd on success/.test(info)) return 'Count';
  return /(?<!-)\b1 (if|when)\b/.test(info) ? 'Bool' : 'Status';
}

describe('every line of the tables', () => {
  test.each(native.functions.map((line) => [line.name, line] as const))('%s', (name, line) => {
    expect(contradictions(line, apiFunctions.get(name))).toEqual([]);
  });

  test('stands there once', () => {
    const names = native.functions.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });
});

describe('a line that is wrong is found', () => {
  const line = (name: string): NativeFunction => {
    const found = native.functions.find((candidate) => candidate.name === name);
    if (found === undefined) throw new Error(`${name} is not bound`);
    return found;
  };
  test.each<[string, string, Partial<NativeFunction>]>([
    ['a forgotten Bool', 'virDomainIsActive', { resultTag: 'Status' }],
    ['a forgotten Count', 'virDomainFSFreeze', { resultTag: 'Status' }],
    ['a forgotten OrNull', 'virDomainGetBlockJobInfo', { resultTag: 'Status' }],
    ['a Bool that is none', 'virDomainCreate', { resultTag: 'Bool' }],
    ['exchanged names', 'virDomainGetState', { outNames: ['reason', 'state'] }],
    ['a wrong class', 'virDomainSuspend', { receiver: 'DomainSnapshot' }],
    ['flags that are none', 'virDomainGetXMLDesc', { hasFlags: false }],
    ['null where it is refused', 'virDomainLookupByName', { nullable: [1] }],
    ['no null where it is wanted', 'virDomainBlockCommit', { nullable: [] }],
    ['forgotten Bits', 'virDomainMigrate', { bits: [] }],
    ['Bits that are none', 'virDomainMigrate', { bits: [2, 5] }],
  ])('%s: %s', (_what, name, mistake) => {
    expect(contradictions({ ...line(name), ...mistake }, apiFunctions.get(name))).not.toEqual([]);
  });

  test('a function that libvirt does not have', () => {
    expect(contradictions({ ...line('virDomainSuspend'), name: 'virDomainSnooze' }, undefined)).not.toEqual([]);
  });
});

describe('ways of calls', () => {
  const named = (pick: (line: NativeFunction) => boolean) =>
    native.functions
      .filter(pick)
      .map(({ name }) => name)
      .sort();

  test('what must get through does not queue behind calls that hang', () => {
    expect(named((line) => line.isUrgent)).toEqual([
      'virDomainAbortJob',
      'virDomainAbortJobFlags',
      'virDomainBlockJobAbort',
      'virDomainDestroy',
      'virDomainDestroyFlags',
      'virDomainFSThaw',
      'virDomainMigrateSetMaxDowntime',
      'virDomainMigrateSetMaxSpeed',
      'virDomainMigrateStartPostCopy',
    ]);
  });

  test('what waits for an agent goes over connections of its own', () => {
    expect(named((line) => line.agent?.always === true)).toEqual([
      'virDomainAuthorizedSSHKeysGet',
      'virDomainAuthorizedSSHKeysSet',
      'virDomainFSFreeze',
      'virDomainFSThaw',
      'virDomainFSTrim',
      'virDomainGetFSInfo',
      'virDomainGetGuestInfo',
      'virDomainGetGuestVcpus',
      'virDomainGetTime',
      'virDomainPMSuspendForDuration',
      'virDomainQemuAgentCommand',
      'virDomainSetGuestVcpus',
      'virDomainSetTime',
      'virDomainSetUserPassword',
    ]);
  });

  test('what waits for an agent where its flags or its source say so, and what it does without flags', () => {
    const { GUEST_AGENT } = DomainShutdownFlagValues;
    const asked = native.functions.filter(({ agent }) => agent !== null && !agent.always);
    const flag = (bit: number, unflagged: string) => ({ always: false, flag: bit, unflagged, position: -1, value: 0 });
    expect(Object.fromEntries(asked.map(({ name, agent }) => [name, agent]))).toEqual({
      virDomainShutdown: flag(GUEST_AGENT, 'asks the agent first'),
      virDomainShutdownFlags: flag(GUEST_AGENT, 'asks the agent first'),
      virDomainReboot: flag(DomainRebootFlagValues.GUEST_AGENT, 'asks the agent first'),
      virDomainGetHostname: flag(DomainGetHostnameFlags.AGENT, 'asks the agent'),
      virDomainGetVcpusFlags: flag(DomainVcpuFlags.GUEST, 'asks nobody'),
      virDomainSetVcpusFlags: flag(DomainVcpuFlags.GUEST, 'asks nobody'),
      virDomainInterfaceAddresses: {
        ...flag(0, 'asks nobody'),
        position: 2,
        value: DomainInterfaceAddressesSource.AGENT,
      },
      virDomainSnapshotCreateXML: flag(DomainSnapshotCreateFlags.QUIESCE, 'asks nobody'),
    });
  });

  test('no function whose flags can ask for the agent is left out', () => {
    const enums = [...readFileSync(CONSTANTS, 'utf8').matchAll(/export const (\w+) = flags\([^{]*\{([^}]*)\}/g)];
    const agentBits = enums.filter(([, , members]) => /\b(GUEST_)?AGENT:|\bGUEST:|\bQUIESCE:/.test(members ?? ''));
    expect(agentBits.map(([, name]) => name)).toEqual([
      'DomainCheckpointCreateFlags', // which no driver takes
      'DomainGetHostnameFlags',
      'DomainRebootFlagValues',
      'DomainShutdownFlagValues',
      'DomainSnapshotCreateFlags',
      'DomainVcpuFlags',
    ]);
  });

  test('only what is read from the handle is synchronous', () => {
    expect(named((line) => line.isSync)).toEqual([
      'virDomainCheckpointGetName',
      'virDomainGetID',
      'virDomainGetName',
      'virDomainGetUUID',
      'virDomainGetUUIDString',
      'virDomainSnapshotGetName',
      'virInterfaceGetMACString',
      'virInterfaceGetName',
      'virNWFilterBindingGetFilterName',
      'virNWFilterBindingGetPortDev',
      'virNWFilterGetName',
      'virNWFilterGetUUID',
      'virNWFilterGetUUIDString',
      'virNetworkGetName',
      'virNetworkGetUUID',
      'virNetworkGetUUIDString',
      'virNetworkPortGetUUID',
      'virNetworkPortGetUUIDString',
      'virNodeDeviceGetName',
      'virSecretGetUUID',
      'virSecretGetUUIDString',
      'virSecretGetUsageID',
      'virSecretGetUsageType',
      'virStoragePoolGetName',
      'virStoragePoolGetUUID',
      'virStoragePoolGetUUIDString',
      'virStorageVolGetKey',
      'virStorageVolGetName',
    ]);
  });
});

describe('every event', () => {
  const bare = (text: string) => text.replaceAll(/[-_]/g, '').toUpperCase();
  const callbacks = [...apiCallbacks.values()].filter(({ name }) =>
    /^virConnect(Domain|Network|StoragePool|NodeDevice|Secret)\w*Callback$/.test(name),
  );
  const fieldsOf = ({ args }: ApiFunction) => args.slice(2, -1).map(({ name }) => name);

  test.each(native.events.map((line) => [line.name, line] as const))('%s', (name, line) => {
    if (line.id >= 0 && line.subject === 'domain') expect(bare(eventIds.get(line.id) ?? '')).toBe(bare(name));
    // `nparams` counts the params, and is none itself.
    const known = callbacks.map((callback) => fieldsOf(callback).filter((field) => field !== 'nparams'));
    expect(known).toContainEqual([...line.fields]);
  });
});
