/** What pieces of a program take for granted beside the package's exports: its type, and what it is where the piece is run. */
import { importsFor } from './samples';

interface Granted {
  name: string;
  type: string;
  value: string;
}

const METHOD = ['parse', 'prepare', 'cut', 'undo', 'delete', 'revert'].map((name) => `${name}: async () => ({})`);

/** In this order, for one may need another. */
const GRANTED: readonly Granted[] = [
  { name: 'conn', type: "import('libvirt-disksnapshot').Connection", value: "await connect('qemu:///system')" },
  { name: 'dom', type: "import('libvirt-disksnapshot').Domain", value: "await conn.domainLookupByName('web1')" },
  { name: 'domain', type: "import('libvirt-disksnapshot').Domain", value: "await conn.domainLookupByName('web1')" },
  {
    name: 'vol',
    type: "import('libvirt-disksnapshot').StorageVol",
    value: "await conn.storageVolLookupByPath('/var/lib/libvirt/images/web1.qcow2')",
  },
  {
    name: 'xml',
    type: 'string',
    value: `"<domain type='qemu'><name>web2</name><memory>65536</memory><os><type>hvm</type></os><devices><disk type='file'><source file='/images/web2.img'/><target dev='vda'/></disk></devices></domain>"`,
  },
  {
    name: 'acme',
    type: "import('libvirt-disksnapshot').SnapshotMethod",
    value: `{ method: 'acme', interfaceVersion: 1, needs: 'any', ${METHOD.join(', ')}, exists: async () => true,
  plan: async () => ({ problems: [], creates: [], bytes: 0 }), backupSource: async () => ({ source: null, format: 'raw', modifiedDisk: null }) }`,
  },
];

const HOOKS = ['beforeAll', 'afterEach', 'afterAll'];

/** For the compiler: what there is without an import. What test runners bring is as much of it as samples use. */
export const GLOBALS = [
  'declare global {',
  ...GRANTED.map(({ name, type }) => `  const ${name}: ${type};`),
  ...HOOKS.map((hook) => `  function ${hook}(work: () => unknown, timeoutMs?: number): void;`),
  '  function test(name: string, work: () => unknown, timeoutMs?: number): void;',
  '  function expect(value: unknown): { toBe(value: unknown): void };',
  '  const jest: { setTimeout(timeoutMs: number): void };',
  '}',
  'export {};',
].join('\n');

/** Of other packages that samples import from. */
export const MODULES = [
  "declare module 'vitest' {",
  ...HOOKS.map((hook) => `  export function ${hook}(work: () => unknown, timeoutMs?: number): void;`),
  '  export function test(name: string, work: () => unknown): void;',
  '  export const vi: { setConfig(config: { testTimeout: number }): void };',
  '}',
  "declare module 'libvirt-disksnapshot-vendor-array' {",
  '  export function registerVendorArray(): Disposable;',
  '}',
].join('\n');

/** A piece as a program of its own, which closes what it did not open. */
export function aroundPiece(piece: string): string {
  const needed: Granted[] = [];
  let text = piece;
  for (const one of [...GRANTED].reverse()) {
    if (!uses(text, one.name) || declares(piece, one.name)) continue;
    needed.unshift(one);
    text = `${one.value} ${text}`;
  }
  const constants = needed.map(({ name, value }) => `const ${name} = ${value};`);
  const isOpened = needed.some(({ name }) => name === 'conn');
  return [importsFor(text), ...constants, piece, ...(isOpened ? ['await conn.close();'] : [])].join('\n');
}

const uses = (text: string, name: string) => new RegExp(`(?<![.'\\w])${name}\\b(?!['-])`).test(text);
const declares = (text: string, name: string) =>
  new RegExp(`(const|let|await using) [^=;()]*?\\b${name}\\b[^=;()]*(=| of )`).test(text);
