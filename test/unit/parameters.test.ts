// The parameters that the classes declare are those of the C functions: their names, their order, their types, and what may be null.
import { describe, expect, test } from '@jest/globals';
import { memberName } from '../../lib/libvirt/member-name';
import { type NativeFunction, native } from '../../lib/native';
import { apiFunctions } from './libvirt-api';
import { type DeclaredParameter, declared } from './mirror-declarations';

const camel = (name: string) => name.replaceAll(/_(\w)/g, (_, letter) => letter.toUpperCase());

/** Functions whose C parameters are pointers that mean something else: by the adapter's types. */
const LISTS: Readonly<Record<string, string>> = {
  'virDomainPinVcpu cpumap': 'readonly number[]',
  'virDomainPinVcpuFlags cpumap': 'readonly number[]',
  'virDomainPinEmulator cpumap': 'readonly number[]',
  'virDomainPinIOThread cpumap': 'readonly number[]',
  'virDomainSendKey keycodes': 'readonly number[]',
  'virDomainCreateWithFiles files': 'readonly number[]',
  'virDomainCreateXMLWithFiles files': 'readonly number[]',
  'virDomainFDAssociate fds': 'readonly number[]',
  'virDomainQemuMonitorCommandWithFiles infiles': 'readonly number[]',
  'virNodeGetFreePages pages': 'readonly number[]',
  'virNodeAllocPages pageSizes': 'readonly number[]',
  'virNodeAllocPages pageCounts': 'readonly (number | bigint)[]',
  'virSecretSetValue value': 'Uint8Array',
  'virStreamSend data': 'Uint8Array',
  'virStreamRecv data': 'Uint8Array',
  'virStreamRecvFlags data': 'Uint8Array',
};

/** How a C type is declared. An enum's name stands for an int, `Flags` for bits. */
function expectedType(line: NativeFunction, position: number): RegExp {
  const arg = apiFunctions.get(line.name)?.args[position];
  if (arg === undefined) throw new Error(`${line.name} has no parameter ${position}`);
  const list = LISTS[`${line.name} ${arg.name}`];
  const base = list === undefined ? typeOf(arg.type, line.bits.includes(position)) : literally(list);
  return new RegExp(`^(?:${base})${line.nullable.includes(position) ? ' \\| null' : ''}$`);
}

const literally = (text: string) => text.replaceAll(/[[\]()|]/g, '\\$&');

function typeOf(type: string, isBits: boolean): string {
  if (isBits) return "Flags<'\\w+'>";
  switch (type) {
    case 'const char *':
      return 'string';
    case 'const char **':
      return 'readonly string\\[\\]';
    case 'const unsigned char *':
      return 'Uint8Array';
    case 'int':
    case 'unsigned int':
      return 'number|[A-Z]\\w+';
    case 'double':
    case 'size_t':
      return 'number';
    case 'unsigned long':
    case 'long long':
    case 'unsigned long long':
      return 'number \\| bigint';
    case 'virTypedParameterPtr':
      return '[A-Z]\\w+';
    case 'virConnectPtr':
      return 'Connection';
  }
  const [, handle, isList] = /^vir(\w+)Ptr( \*)?$/.exec(type) ?? [];
  if (handle !== undefined) return isList ? `readonly ${handle}\\[\\]` : handle;
  // libvirt's own enums: virDomainProcessSignal
  return 'nothing known for this type';
}

/** In their order, without the last one: flags or options. */
function wrong(line: NativeFunction, parameters: readonly DeclaredParameter[]): string[] {
  const names = apiFunctions.get(line.name)?.args.map(({ name }) => camel(name)) ?? [];
  return line.positions.flatMap((position, index) => {
    const parameter = parameters[index];
    if (parameter === undefined) return [`${names[position]} is missing`];
    const said: string[] = [];
    if (parameter.name !== names[position]) said.push(`${parameter.name}: libvirt calls it ${names[position]}`);
    const type = expectedType(line, position);
    if (!type.test(parameter.text)) said.push(`${parameter.name}: ${parameter.text} is not ${type}`);
    // What may be null may be left out where only such ones follow.
    const mayBeLeftOut = line.positions.slice(index).every((each) => line.nullable.includes(each));
    if (parameter.isOptional && !mayBeLeftOut) said.push(`${parameter.name} is optional`);
    return said;
  });
}

const memberOf = (line: NativeFunction) => declared(line.receiver).get(memberName(line.name, line.receiver));
const withInputs = native.functions.filter(({ positions }) => positions.length > 0);

test.each(withInputs.map((line) => [line.name, line] as const))('%s', (_name, line) => {
  expect(wrong(line, memberOf(line)?.parameters ?? [])).toEqual([]);
});

describe('the last one', () => {
  test.each(native.functions.filter(({ isSync }) => !isSync).map((line) => [line.name, line] as const))(
    '%s',
    (_name, line) => {
      const last = memberOf(line)?.parameters.at(-1);
      expect(last?.name).toBe(line.hasFlags ? 'flags' : 'options');
      expect(last?.isOptional).toBe(true);
      const agent = line.agent?.always ? 'Agent' : '(Agent)?';
      expect(last?.text).toMatch(
        line.hasFlags ? new RegExp(`^${agent}FlagsArg<`) : /^(CallOptions|AgentOptions<never>)$/,
      );
    },
  );
});

describe('a declaration that is wrong is found', () => {
  const line = (name: string) => native.functions.find((each) => each.name === name) as NativeFunction;
  const changed = (name: string, at: number, change: Partial<DeclaredParameter>) =>
    wrong(
      line(name),
      (memberOf(line(name))?.parameters ?? []).map((each, index) => (index === at ? { ...each, ...change } : each)),
    );
  test.each<[string, string, number, Partial<DeclaredParameter>]>([
    ['another name', 'virDomainBlockCommit', 1, { name: 'bottom' }],
    ['a number where there is text', 'virDomainBlockCommit', 0, { text: 'number' }],
    ['null where it is refused', 'virDomainRename', 0, { text: 'string | null' }],
    ['no null where it is wanted', 'virDomainBlockCommit', 1, { text: 'string' }],
    ['bits that are a number', 'virDomainMigrate', 1, { text: 'number' }],
    ['no bigint where 64 bits are', 'virDomainBlockResize', 1, { text: 'number' }],
  ])('%s: %s', (_what, name, at, change) => {
    expect(changed(name, at, change)).not.toEqual([]);
  });
});
