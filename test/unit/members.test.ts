// What the classes declare and what the addon binds is the same: a member that only one of them knows fails here.

import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { memberName } from '../../lib/libvirt/member-name';
import { native } from '../../lib/native';

const root = join(__dirname, '..', '..');
const config = ts.parseJsonConfigFileContent(
  ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config,
  ts.sys,
  root,
);
const entry = join(root, 'lib', 'libvirt', 'index.ts');
const program = ts.createProgram([entry], config.options);
const checker = program.getTypeChecker();
const source = program.getSourceFile(entry);
const moduleSymbol = source && checker.getSymbolAtLocation(source);

interface Declared {
  parameters: number;
  result: string;
  doc: string;
}

/** Methods that the interface of this class declares; those of the class itself are written by hand. */
function declared(className: string): Map<string, Declared> {
  const alias = moduleSymbol && checker.getExportsOfModule(moduleSymbol).find(({ name }) => name === className);
  const symbol = alias && alias.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(alias) : alias;
  const members = new Map<string, Declared>();
  for (const declaration of symbol?.declarations ?? []) {
    if (!ts.isInterfaceDeclaration(declaration)) continue;
    for (const member of declaration.members) {
      if (!ts.isMethodSignature(member)) continue;
      members.set(member.name.getText(), {
        parameters: member.parameters.length,
        result: member.type?.getText() ?? '',
        doc: (ts.getJSDocCommentsAndTags(member)[0]?.getText() ?? '').replace(/\s*\n\s*\*\s*/g, ' '),
      });
    }
  }
  return members;
}

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
    expect(member?.parameters).toBe(line.positions.length + (line.isSync ? 0 : 1));
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
