// From the tarball alone, in an empty folder, without a compiler: it is installed, and the first steps run.
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { nodeOf, npm12 } from './programs';
import { CJS, ESM, QUICK_START_SAYS, TYPESCRIPT, User } from './user';

jest.setTimeout(180_000);

const ROOT = join(__dirname, '..', '..');

describe.each([
  ['npm as installed', () => User.withPackage()],
  [
    'npm 12, which runs no install script',
    async () => {
      const user = new User(await nodeOf(22));
      await user.install(await npm12());
      return user;
    },
  ],
])('%s', (_, install) => {
  let user: User;
  beforeAll(async () => {
    user = await install();
  });
  afterAll(() => user[Symbol.dispose]());

  test('nothing was built', () => {
    expect(user.content()).not.toContain('build');
    expect(user.content()).toContain('prebuilds');
  });

  test('ESM', async () => {
    user.write('start.mjs', ESM);
    expect(await user.run(['start.mjs'])).toBe(QUICK_START_SAYS);
  });

  test('CommonJS', async () => {
    user.write('start.cjs', CJS);
    expect(await user.run(['start.cjs'])).toBe(QUICK_START_SAYS);
  });

  test('import and require give the same objects, by the same names', async () => {
    user.write(
      'same.mjs',
      `import { createRequire } from 'node:module';
      const require = createRequire(import.meta.url);
      for (const path of ['libvirt-disksnapshot', 'libvirt-disksnapshot/libvirt', 'libvirt-disksnapshot/testing']) {
        const imported = await import(path);
        const required = require(path);
        const names = Object.keys(required).sort();
        if (names.length === 0 || names.join() !== Object.keys(imported).sort().join()) throw new Error(path);
        for (const name of names) if (imported[name] !== required[name]) throw new Error(path + ' ' + name);
      }
      console.log(require('libvirt-disksnapshot/package.json').name);`,
    );
    expect(await user.run(['same.mjs'])).toBe('libvirt-disksnapshot\n');
  });

  test('the binary is missing: the error says what to do', async () => {
    rmSync(join(user.installed, 'prebuilds'), { recursive: true });
    await expect(user.run(['start.cjs'])).rejects.toThrow(
      /npm install-scripts approve libvirt-disksnapshot && npm rebuild libvirt-disksnapshot.*apt install libvirt-dev/s,
    );
  });
});

describe('TypeScript', () => {
  let user: User;
  beforeAll(async () => {
    user = User.withPackage();
    for (const name of ['typescript', '@types', 'undici-types'])
      symlinkSync(join(ROOT, 'node_modules', name), join(user.folder, 'node_modules', name));
  });
  afterAll(() => user[Symbol.dispose]());

  test.each([
    ['node16', 'node16', ['start.mts', 'start.cts']],
    ['nodenext', 'nodenext', ['start.mts', 'start.cts']],
    ['preserve', 'bundler', ['start.mts']],
  ])('module %s, resolution %s: %j compile strictly, and run', async (module, resolution, files) => {
    for (const file of files) user.write(file, TYPESCRIPT);
    const options = ['--strict', '--target', 'es2022', '--types', 'node', '--module', module];
    await user.run(['node_modules/typescript/bin/tsc', ...options, '--moduleResolution', resolution, ...files]);
    for (const file of files) expect(await user.run([file.replace(/ts$/, 'js')])).toBe(QUICK_START_SAYS);
  });
});

describe('a binary that does not load', () => {
  let user: User;
  let binary: string;
  let content: Buffer;
  beforeAll(async () => {
    user = User.withPackage();
    binary = join(user.installed, 'prebuilds', `linux-${process.arch}`, 'libvirt-disksnapshot.glibc.node');
    content = readFileSync(binary);
  });
  afterAll(() => user[Symbol.dispose]());
  const load = () => user.run(['-e', "require('libvirt-disksnapshot')"]);

  test('it wants a newer system: how to build it here', async () => {
    const newer = content.toString('latin1').replace('GLIBC_2.34', 'GLIBC_9.99');
    writeFileSync(binary, newer, 'latin1');
    await expect(load()).rejects.toThrow(
      /`GLIBC_9.99' not found.*older than the prebuilt binary.*npm_config_build_from_source=true npm rebuild/s,
    );
  });

  test('it is of another machine: so is node_modules, perhaps', async () => {
    const other = Buffer.from(content);
    other.writeUInt16LE(process.arch === 'arm64' ? 62 : 183, 18); // e_machine
    writeFileSync(binary, other);
    await expect(load()).rejects.toThrow(/made for another system \(were node_modules copied from there\?\)/);
  });

  test('npm rebuild without a compiler fails, and names what a build needs', async () => {
    await expect(user.npm(['rebuild', 'libvirt-disksnapshot', '--foreground-scripts'])).rejects.toThrow(
      /the addon could not be built\. What a build needs:.*apt install libvirt-dev/s,
    );
  });

  test('elsewhere than on Linux it is installed, and says where it runs', async () => {
    user.write('mac.cjs', "Object.defineProperty(process, 'platform', { value: 'darwin' });");
    const mac = ['--require', './mac.cjs'];
    const install = join(user.installed, 'scripts', 'install.mjs');
    expect(await user.run([...mac, install])).toMatch(/installed without its addon, which runs on Linux only/);
    const required = user.run([...mac, '-e', "require('libvirt-disksnapshot')"]);
    await expect(required).rejects.toThrow(/could not be loaded \(darwin.*runs on Linux only/s);
  });
});

test('without libvirt it is installed and loads; the first call names the package to install', async () => {
  using user = User.withPackage();
  user.write('libvirt.so.0', 'not a library'.repeat(100));
  user.write('start.mjs', ESM);
  const started = user.run(['start.mjs'], { LD_LIBRARY_PATH: user.folder });
  await expect(started).rejects.toThrow(/libvirt is not installed here.*apt install libvirt0/s);
});
