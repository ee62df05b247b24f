// libvirt's own description of its API, the installed one's and what newer ones have, for tests that hold our tables against it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ApiArg {
  name: string;
  type: string;
  info: string;
}
export interface ApiFunction {
  name: string;
  returns: { type: string; info: string };
  args: ApiArg[];
}

const description = [
  ['libvirt', 'libvirt_api'],
  ['libvirt-qemu', 'libvirt_qemu_api'],
]
  .map(([module, variable]) =>
    execFileSync('pkg-config', [`--variable=${variable}`, `${module}`], { encoding: 'utf8' }).trim(),
  )
  .concat(join(__dirname, '..', '..', 'scripts', 'libvirt-api', 'newer.xml'))
  .map((path) => readFileSync(path, 'utf8'))
  .join('\n');

function attributes(tag: string): Record<string, string> {
  return Object.fromEntries([...tag.matchAll(/(\w+)='([^']*)'/g)].map(([, key, text]) => [key ?? '', text ?? '']));
}

function read(element: 'function' | 'functype'): Map<string, ApiFunction> {
  const found = new Map<string, ApiFunction>();
  for (const [body, head] of description.matchAll(
    new RegExp(`<${element} (name=[^>]*)>[\\s\\S]*?</${element}>`, 'g'),
  )) {
    const { name = '' } = attributes(head ?? '');
    const returns = attributes(/<return [^>]*>/.exec(body)?.[0] ?? '');
    const args = [...body.matchAll(/<arg [^>]*>/g)].map(([tag]) => attributes(tag));
    found.set(name, {
      name,
      returns: { type: returns.type ?? '', info: returns.info ?? '' },
      args: args.map(({ name = '', type = '', info = '' }) => ({ name, type, info })),
    });
  }
  return found;
}

export const apiFunctions = read('function');
export const apiCallbacks = read('functype');

/** VIR_DOMAIN_EVENT_ID_* by value, without that prefix. */
export const eventIds = new Map(
  [...description.matchAll(/<enum name='VIR_DOMAIN_EVENT_ID_(\w+)'[^>]*? value='(\d+)'/g)].map(([, name, value]) => [
    Number(value),
    name ?? '',
  ]),
);

/** Names that are texts, such as those of typed parameters. */
export const apiMacros: ReadonlyMap<string, { value: string; info: string }> = new Map(
  [...description.matchAll(/<macro name='(\w+)'([^>]*)>\s*<info><!\[CDATA\[([\s\S]*?)\]\]>/g)].flatMap(
    ([, name = '', head = '', info = '']) => {
      const { string } = attributes(head);
      return string === undefined ? [] : [[name, { value: string, info: info.replace(/\s+/g, ' ') }] as const];
    },
  ),
);
