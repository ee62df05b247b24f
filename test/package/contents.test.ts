// What is in the tarball, and what is not; what it needs of the system; how its types resolve.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { run } from './programs';
import { tarball, User } from './user';

jest.setTimeout(180_000);

const ROOT = join(__dirname, '..', '..');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

let user: User;
let files: string[];
beforeAll(async () => {
  user = User.withPackage();
  files = readdirSync(user.installed, { recursive: true, encoding: 'utf8' }).filter((file) => isFile(file));
});
afterAll(() => user[Symbol.dispose]());
const isFile = (file: string) => statSync(join(user.installed, file)).isFile();
const text = (file: string) => readFileSync(join(user.installed, file), 'utf8');

describe('the files', () => {
  test('are the implementation, the binary, what builds it, and what is read; nothing else', () => {
    const kinds = [
      /^dist\/.*\.(js|mjs|d\.ts|d\.mts)$/,
      /^native\/.*\.(cc|h)$/,
      /^schemas\/[a-z-]+\.json$/,
      /^native\/CMakeLists\.txt$/,
      /^prebuilds\/linux-[a-z0-9]+\/libvirt-disksnapshot\.(glibc|musl)\.node$/,
      /^(binding\.gyp|package\.json|LICENSE|(README|CHANGELOG|SECURITY)\.md|scripts\/(install\.mjs|build-packages\.json))$/,
    ];
    expect(files.filter((file) => !kinds.some((kind) => kind.test(file)))).toEqual([]);
    for (const kind of kinds) expect(files).toContainEqual(expect.stringMatching(kind));
    expect(files.filter((file) => /\.test\.|^test/.test(file))).toEqual([]);
  });

  test('every module has its source, and every source its module and its types', () => {
    const sources = readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join('dist', file.replace(/\.ts$/, '')));
    const built = (end: string) => files.filter((file) => file.startsWith('dist/') && file.endsWith(end));
    expect(built('.js').map((file) => file.slice(0, -'.js'.length))).toEqual(expect.arrayContaining(sources));
    expect(built('.js')).toHaveLength(sources.length);
    expect(built('.d.ts')).toHaveLength(sources.length);
  });

  test('none refers to a source map, which would want the sources', () => {
    expect(files.filter((file) => /\.m?js$/.test(file) && text(file).includes('sourceMappingURL'))).toEqual([]);
  });

  test('weigh less than 1.5 MB packed, and 6 MB on disk', () => {
    expect(statSync(tarball()).size).toBeLessThan(1.5e6);
    const onDisk = files.reduce((sum, file) => sum + statSync(join(user.installed, file)).size, 0);
    expect(onDisk).toBeLessThan(6e6);
  });
});

describe('what it needs', () => {
  test('every dependency is used by what runs or by the build, and what runs uses no other', () => {
    const imported = files
      .filter((file) => /\.m?js$/.test(file))
      .flatMap((file) => [...text(file).matchAll(/(?:require|import)\(['"]([^.'"][^'"]*)['"]\)/g)])
      .map(([, name = '']) => name)
      .filter((name) => !name.startsWith('node:') && !builtinModules.includes(name))
      .map((name) => name.match(/^(@[^/]+\/)?[^/]+/)?.[0]);
    const built = [...text('binding.gyp').matchAll(/require\(\\?'([^'\\]+)\\?'\)/g)].map(([, name]) => name);
    const used = new Set([...imported, ...built.filter((name) => name !== 'fs')]);
    expect([...used].sort()).toEqual(Object.keys(manifest.dependencies).sort());
  });

  test('one shared install script, and no host that it asks', () => {
    expect(manifest.scripts).toMatchObject({ install: 'node scripts/install.mjs' });
    for (const name of ['preinstall', 'postinstall', 'prepare', 'prebuild'])
      expect(manifest.scripts).not.toHaveProperty(name);
    expect(text('scripts/install.mjs')).not.toMatch(/https?:|fetch\(/);
    expect(manifest).not.toHaveProperty('os');
  });

  test.each([
    ['GLIBC', [2, 34]],
    ['GLIBCXX', [3, 4, 29]],
    ['CXXABI', [1, 3, 13]],
  ])('the binary needs %s %j at most', (library, most) => {
    const binaries = files.filter((file) => file.endsWith('.node'));
    for (const binary of binaries) {
      const said = execFileSync('readelf', ['--version-info', '--wide', join(user.installed, binary)], {
        encoding: 'utf8',
      });
      const versions = [...said.matchAll(new RegExp(`\\b${library}_([0-9.]+)`, 'g'))].map(
        ([, version = '']) => version,
      );
      expect(versions.length).toBeGreaterThan(0);
      expect(versions.filter((version) => isNewer(version.split('.').map(Number), most))).toEqual([]);
    }
  });

  test('the binary has no symbols left that only a debugger wants, and no path of the machine that built it', () => {
    for (const binary of files.filter((file) => file.endsWith('.node'))) {
      const sections = execFileSync('readelf', ['--sections', '--wide', join(user.installed, binary)], {
        encoding: 'utf8',
      });
      expect(sections).not.toMatch(/\.symtab|\.debug_info/);
      expect(readFileSync(join(user.installed, binary)).includes(ROOT)).toBe(false);
    }
  });
});

/** Of versions as lists of numbers. */
function isNewer(version: number[], than: number[]): boolean {
  const differing = version.findIndex((part, index) => part !== (than[index] ?? 0));
  return differing >= 0 && (version[differing] ?? 0) > (than[differing] ?? 0);
}

describe('types and entry points', () => {
  test('publint has nothing to say', async () => {
    const publint = join(ROOT, 'node_modules', 'publint', 'src', 'cli.js');
    expect(
      await run(process.execPath, [publint, '--level', 'warning', '--pack', 'false', user.installed], { cwd: ROOT }),
    ).toMatch(/All good/);
  });

  test('they resolve under node16, for import and for require, and from bundlers', async () => {
    const attw = join(ROOT, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js');
    // Its exit code says whether there is a problem.
    const said = await run(process.execPath, [attw, '--profile', 'node16', '--format', 'ascii', tarball()], {
      cwd: ROOT,
    });
    expect(said).toContain('node16 (from ESM): 🟢 (ESM)');
  });
});
