// What the classes declare and what the addon binds is the same: a member that only one of them knows fails here.

import { describe, expect, test } from '@jest/globals';
import { memberName } from '../../lib/libvirt/member-name';
import { native } from '../../lib/native';
import { bareNumbers, declared } from './mirror-declarations';

const receivers = [...new Set(native.functions.map(({ receiver }) => receiver))];

describe.each(receivers)('%s', (receiver) => {
  const lines = native.functions.filter((line) => line.receiver === receiver);
  const members = declared(receiver);

  test('declares what is bound, and binds what is declared', () => {
    expect([...members.keys()].sort()).toEqual(lines.map(({ name }) => memberName(name, receiver)).sort());
  });

  test.each(lines.map((line) => [memberName(line.name, receiver), line] as const))('%s', (name, line) => {
    const member = members.get(name);
    // One more than the C function has for us to give: the flags or options; synchronous members have none.
    expect(member?.parameters.length).toBe(line.positions.length + (line.isSync ? 0 : 1));
    const inner = line.isSync ? member?.result : /^Promise<([\s\S]*)>$/.exec(member?.result ?? '')?.[1];
    expect(inner).toMatch(EXPECTED[line.result] ?? new RegExp(`^${line.result.replace('[]', '\\[\\]')}$`));
    // The C function, and then in words what it does or gives: `virDomainGetName: its name.`
    expect(member?.doc).toMatch(new RegExp(`\\b${line.name}: \\S+ \\S`));
    if (line.resultTag === 'Bool') expect(inner).toBe('boolean');
    if (line.resultTag === 'Count') expect(inner).toMatch(/^(number|SecretUsageType)$/);
    if (line.resultTag === 'OrNull' || line.resultTag === 'Id') expect(inner).toMatch(/ \| null$/);
  });
});

/** How the addon's kinds of results are declared; classes by their own name. */
const EXPECTED: Readonly<Record<string, RegExp>> = {
  nothing: /^void$/,
  value: /^(string|number|boolean|bigint|number \| null|SecretUsageType)$/,
  object: /^(\w+( \| null)?|\{[\s\S]*\})$/,
  'object[]': /^\w+\[\]$/,
  'value[]': /^(string|number)\[\]$/,
  data: /^(?!void)[\s\S]+$/,
  bytes: /^Uint8Array$/,
  buffer: /^Uint8Array$/,
};

test.each([
  ['virDomainGetXMLDesc', 'Domain', 'getXMLDesc'],
  ['virDomainFSFreeze', 'Domain', 'fsFreeze'],
  ['virNWFilterDefineXML', 'Connection', 'nwFilterDefineXML'],
  ['virDomainSnapshotCreateXML', 'Domain', 'snapshotCreateXML'],
  ['virConnectListAllDomains', 'Connection', 'listAllDomains'],
  ['virDomainLookupByName', 'Connection', 'domainLookupByName'],
  ['virNodeGetInfo', 'Connection', 'nodeGetInfo'],
  ['virDomainQemuMonitorCommand', 'Domain', 'qemuMonitorCommand'],
  ['virDomainRevertToSnapshot', 'Domain', 'revertToSnapshot'],
  ['virDomainListGetStats', 'Connection', 'domainListGetStats'],
  ['virDomainSnapshotGetName', 'DomainSnapshot', 'getName'],
  ['virStorageVolGetXMLDesc', 'StorageVol', 'getXMLDesc'],
])('%s of a %s is %s', (cName, receiver, name) => {
  expect(memberName(cName, receiver)).toBe(name);
});

/** What a type's docstring has where it speaks for all of its numbers. */
const UNIT =
  /\b(bytes?|bits|[KM]iB|kB|MHz|(nano|micro|milli)?seconds|per cent|count|how many|numbers?|packets|pages)\b/i;

test('every number of the public types says what it counts, or its type does so for all of them', () => {
  const numbers = bareNumbers();
  expect(numbers.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'DomainInfo.memory',
      'DomainEvents.utcoffset',
      'NetworkDHCPLease.prefix',
      'LibvirtError.int1',
    ]),
  );
  const silent = numbers.filter(({ own, whole }) => own === '' && !UNIT.test(whole));
  expect(silent.map(({ name }) => name)).toEqual([]);
});
