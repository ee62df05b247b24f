// Samples that are data are read by what reads them in earnest; and no block is of a kind that nobody looks at.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import Ajv from 'ajv/dist/2020';
import { registerVendorArray } from '../../examples/vendor-array/index';
import { type Connection, connect, DomainDefineFlags, defineDomain, describeDomain } from '../../lib';
import { elementOf } from '../../lib/disk-snapshot/element/element';
import { type Block, pages, root } from './markdown';
import { DATA, isAbout, isCode, isShell } from './plain-samples';

const blocks = pages.flatMap((page) => page.blocks);
const data = blocks.filter((block) => block.language !== '' && !isCode(block) && !isShell(block));

function textOf(file: string, holds: string): string {
  const block = data.find(({ where, text }) => isAbout({ in: file, holds }, where, text));
  if (!block) throw new Error(`no such block in ${file}`);
  return block.text;
}
const domainWith = (device: string) =>
  `<domain type='test'><name>sample</name><memory>65536</memory><os><type>hvm</type></os><devices>${device}</devices></domain>`;

let conn: Connection;
beforeAll(async () => {
  conn = await connect('test:///default');
});
afterAll(() => conn?.close());

describe('each', () => {
  test.each(DATA)('of $in that holds $holds is one block; what reads it exists', ({ by = '', ...one }) => {
    expect(data.filter(({ where, text }) => isAbout(one, where, text))).toHaveLength(1);
    expect(existsSync(join(root, by))).toBe(true);
  });

  test('is in the list', () => {
    const unknown = ({ where, text }: Block) => !DATA.some((one) => isAbout(one, where, text));
    expect(data.filter(unknown).map(({ where, language }) => ({ where, language }))).toEqual([]);
  });

  test('has a language, but for a drawing and a synopsis', () => {
    const plain = blocks.filter(({ language }) => language === '').map(({ text }) => text.trim().split(/\s/)[0]);
    expect(plain).toEqual(['lib/cli,', 'disksnap']);
  });
});

test('the failure in docs/cli.md keeps to its schema', () => {
  const ajv = new Ajv({ formats: { 'date-time': true } });
  const schemas = join(root, 'schemas');
  for (const file of readdirSync(schemas)) ajv.addSchema(JSON.parse(readFileSync(join(schemas, file), 'utf8')), file);
  ajv.validate('error.json', JSON.parse(textOf('docs/cli.md', '"exitCode": 4 } }')));
  expect(ajv.errors).toBeNull();
});

test('each <diskSnapshot> in docs/methods.md names a method', () => {
  const elements = textOf('docs/methods.md', '<diskSnapshot').trim().split('\n');
  expect(elements.map((xml) => elementOf(xml).method)).toEqual(['qemu', 'qemu', 'lvm', 'btrfs', 'reflink', 'rbd']);
});

test('the channel in docs/consistency.md is valid in a domain', async () => {
  const xml = domainWith(textOf('docs/consistency.md', '<channel'));
  const domain = await conn.domainDefineXMLFlags(xml, DomainDefineFlags.VALIDATE);
  expect(await domain.getXMLDesc()).toContain('org.qemu.guest_agent.0');
  await domain.undefine();
});

test('the disk in examples/vendor-array is defined, with its element', async () => {
  using _ = registerVendorArray();
  const domain = await defineDomain(conn, domainWith(textOf('examples/vendor-array/README.md', '<array')));
  expect(await describeDomain(domain)).toContain("<volume id='17'/>");
  await domain.undefine();
});

test('the line in CONTRIBUTING.md stands in the table', () => {
  const tables = readdirSync(join(root, 'native')).map((file) => readFileSync(join(root, 'native', file), 'utf8'));
  expect(tables.filter((table) => table.includes(textOf('CONTRIBUTING.md', 'FN(').trim()))).toHaveLength(1);
});
