// Loading: without libvirt, twice, and what the binary asks of the machine.

import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { BINARY, type Stage, stage } from './child';

let place: Stage;
beforeAll(() => {
  place = stage();
});
afterAll(() => place.close());

test('nothing of libvirt is linked', () => {
  expect(execFileSync('ldd', [BINARY], { encoding: 'utf8' })).not.toContain('libvirt');
  const symbols = execFileSync('nm', ['-D', BINARY], { encoding: 'utf8' });
  expect(symbols).not.toMatch(/\bvir[A-Z]/);
  expect(symbols).toContain('napi_register_module_v1');
});

test('it shows its entry points and nothing else', () => {
  const defined = execFileSync('nm', ['-D', '--defined-only', BINARY], { encoding: 'utf8' });
  const own = defined.split('\n').filter((line) => /\b(T|B|D)\b/.test(line));
  expect(own.map((line) => line.split(' ').at(-1)).sort()).toEqual([
    'napi_register_module_v1',
    'node_api_module_get_api_version_v1',
  ]);
});

test('it stays in memory: threads may be inside it', () => {
  expect(execFileSync('readelf', ['-d', BINARY], { encoding: 'utf8' })).toContain('NODELETE');
});

test('without libvirt it loads, and the first call names the package to install', async () => {
  // A libvirt.so.0 that is none, found before the real one.
  const folder = join(place.directory, 'broken');
  mkdirSync(folder);
  writeFileSync(join(folder, 'libvirt.so.0'), 'not a library'.repeat(1000));
  const ended = await place.run(
    `const errors = [];
    await libvirt.connect('test:///default').catch((e) => errors.push(e));
    try { libvirt.getVersion(); } catch (e) { errors.push(e); }
    console.log(errors.length, errors.every((e) => e instanceof libvirt.LibvirtError && /apt install libvirt0/.test(e.message)));`,
    { env: { LD_LIBRARY_PATH: folder } },
  );
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '', stdout: '2 true\n' });
});

test('a second copy of the binary takes no handle of the first', async () => {
  const copy = join(place.directory, 'copy.node');
  copyFileSync(BINARY, copy);
  const ended = await place.run(
    `const other = require(${JSON.stringify(copy)});
    const conn = await libvirt.connect('test:///default');
    const dom = await conn.domainLookupByName('test');
    const raw = dom[Symbol.for('libvirt-disksnapshot.native handle')];
    const line = other.functions.find(({ name }) => name === 'virDomainGetName');
    const refusal = line.invoke(() => {}, 0, false, 0, raw);
    console.log(refusal.code, dom.getName());
    await conn.close();`,
  );
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '', stdout: 'ERR_INVALID_ARG_TYPE test\n' });
});

test('two copies of the whole package in one process: each works, and knows the errors and handles of the other', async () => {
  const folder = join(place.directory, 'second');
  cpSync(join(place.directory, 'lib'), join(folder, 'lib'), { recursive: true });
  mkdirSync(join(folder, 'build', 'Release'), { recursive: true });
  copyFileSync(BINARY, join(folder, 'build', 'Release', 'disksnapshot_native.node'));
  symlinkSync(join(place.directory, 'node_modules'), join(folder, 'node_modules'));
  const ended = await place.run(
    `const copies = [libvirt, require(${JSON.stringify(join(folder, 'lib', 'libvirt'))})];
    const use = async (copy, other) => {
      const conn = await copy.connect('test:///default');
      const dom = await conn.domainLookupByName('test');
      const events = await conn.subscribe('lifecycle');
      const next = events[Symbol.asyncIterator]().next();
      const own = '<domain type="test"><name>own-' + copies.indexOf(copy)
        + '</name><memory>1024</memory><os><type>hvm</type></os></domain>';
      const defined = await conn.domainDefineXML(own);
      const { value } = await next;
      await defined.undefine();
      const error = await conn.domainLookupByName('none').catch((e) => e);
      await Promise.all(Array.from({ length: 200 }, () => dom.getXMLDesc()));
      await conn.close();
      return [value.domain instanceof other.Domain, conn instanceof other.Connection, error instanceof other.LibvirtError];
    };
    console.log(copies[0].Domain === copies[1].Domain);
    for (let round = 0; round < 10; round++) {
      const seen = await Promise.all([use(copies[0], copies[1]), use(copies[1], copies[0])]);
      if (!seen.flat().every(Boolean)) console.log(seen);
    }`,
  );
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '', stdout: 'false\n' });
});

test('getVersion needs no connection', async () => {
  const ended = await place.run(`console.log(libvirt.getVersion() >= 8000000);`);
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '', stdout: 'true\n' });
});

test('the embedded driver is silent, unless asked to speak', async () => {
  const script = `
    const fs = require('node:fs');
    const root = fs.mkdtempSync(require('node:path').join(require('node:os').tmpdir(), 'libvirt-disksnapshot-embed-'));
    fs.mkdirSync(root + '/etc/qemu', { recursive: true });
    fs.writeFileSync(root + '/etc/qemu/broken.xml', 'what the driver complains of when it begins');
    const conn = await libvirt.connect('qemu:///embed?root=' + root);
    await conn.domainLookupByName('none').catch(() => {});
    await conn.close();
    fs.rmSync(root, { recursive: true });`;
  expect(await place.run(script)).toMatchObject({ code: 0, signal: null, stderr: '' });
  const loud = await place.run(script, { env: { LIBVIRT_LOG_OUTPUTS: '1:stderr' } });
  expect(loud).toMatchObject({ code: 0, signal: null });
  expect(loud.stderr).not.toBe('');
});

test('one signal serves any number of calls, streams and subscriptions, and nobody is warned', async () => {
  const ended = await place.run(`
    const controller = new AbortController();
    const { signal } = controller;
    const conn = await libvirt.connect('test:///default');
    const dom = await conn.domainLookupByName('test');
    const outcome = (call) => call.then(() => 'done', (error) => error.name);
    const subscriptions = await Promise.all(Array.from({ length: 20 }, () => conn.subscribe('lifecycle', { signal })));
    const first = await Promise.all(Array.from({ length: 100 }, () => outcome(dom.getInfo({ signal }))));
    const ends = subscriptions.map((subscription) => subscription[Symbol.asyncIterator]().next());
    const last = Array.from({ length: 100 }, () => outcome(dom.getInfo({ signal })));
    controller.abort();
    console.log(JSON.stringify([new Set(first), new Set(await Promise.all(last)), new Set((await Promise.all(ends)).map(({ done }) => done))].map((set) => [...set])));
    await conn.close();`);
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  expect(JSON.parse(ended.stdout)).toEqual([['done'], ['AbortError'], [true]]);
});

test('the embedded driver may be opened any number of times, at once and one after the other', async () => {
  // libvirt's own limit is about a dozen for the life of the process.
  const ended = await place.run(`
    const fs = require('node:fs');
    const root = fs.mkdtempSync(require('node:path').join(require('node:os').tmpdir(), 'libvirt-disksnapshot-embed-'));
    const open = () => libvirt.connect('qemu:///embed?root=' + root);
    const together = [];
    for (let i = 0; i < 20; i++) together.push(await open());
    for (const conn of together) await conn.close();
    for (let i = 0; i < 20; i++) await (await open()).close();

    const conn = await open();
    const events = await conn.subscribe('lifecycle');
    const first = events[Symbol.asyncIterator]().next();
    await conn.domainDefineXML('<domain type="qemu"><name>one</name><memory>1024</memory><os><type>hvm</type></os></domain>');
    console.log((await first).value.domain.getName());
    await (await conn.domainLookupByName('one')).undefine();
    await conn.close();
    await conn.listAllDomains(0).catch((error) => console.log(error.codeName));
    fs.rmSync(root, { recursive: true });`);
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '', stdout: 'one\nINVALID_CONN\n' });
});
