/** A user's project, in which the package is installed as it was built: samples are run in it, by Node or by a test runner. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import ts from 'typescript';
import { root } from './markdown';
import { isCommonJs, isProgram, type Sample } from './samples';
import { aroundPiece } from './taken-for-granted';

export interface Ended {
  code: number | null;
  output: string;
  errors: string;
}

interface Runner {
  /** What a sample for it holds. */
  sign: RegExp;
  file: (sample: string) => string;
  args: (file: string) => readonly string[];
  /** Whatever it says of itself is no error. */
  isTalkative: boolean;
}

const program = (...path: string[]) => join(root, 'node_modules', ...path);
const test = (sample: string) => (isCommonJs(sample) ? 'sample.test.js' : 'sample.test.mjs');

/** The first whose sign a sample bears. */
const RUNNERS: readonly Runner[] = [
  {
    sign: /from 'vitest'/,
    file: test,
    args: (file) => [program('vitest', 'vitest.mjs'), 'run', file],
    isTalkative: true,
  },
  { sign: /from 'node:test'/, file: test, args: (file) => ['--test', file], isTalkative: true },
  {
    sign: /^test\(/m,
    file: () => 'sample.test.js',
    args: (file) => [program('jest', 'bin', 'jest.js'), '--testTimeout=60000', '--cacheDirectory=cache', file],
    isTalkative: true,
  },
  {
    sign: /^/,
    file: (sample) => (isCommonJs(sample) ? 'sample.cjs' : 'sample.mjs'),
    args: (file) => [file],
    isTalkative: false,
  },
];

export class Project implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'samples-'));
  readonly #modules = join(this.folder, 'node_modules');

  constructor() {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const installed = join(this.#modules, 'libvirt-disksnapshot');
    for (const part of ['package.json', 'dist', 'build/Release/disksnapshot_native.node'])
      cpSync(join(root, part), join(installed, part), { recursive: true });
    for (const name of [...Object.keys(dependencies), 'vitest']) {
      mkdirSync(dirname(join(this.#modules, name)), { recursive: true });
      symlinkSync(program(name), join(this.#modules, name));
    }
    writeFileSync(join(this.folder, 'package.json'), '{ "private": true }');
    this.#installVendorArray();
  }

  /** The example, built as its README's readers would have it. */
  #installVendorArray(): void {
    const example = join(root, 'examples', 'vendor-array');
    const installed = join(this.#modules, 'libvirt-disksnapshot-vendor-array');
    mkdirSync(join(installed, 'dist'), { recursive: true });
    cpSync(join(example, 'package.json'), join(installed, 'package.json'));
    for (const name of ['index', 'array']) {
      const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
      const source = readFileSync(join(example, `${name}.ts`), 'utf8');
      writeFileSync(join(installed, 'dist', `${name}.js`), ts.transpileModule(source, { compilerOptions }).outputText);
    }
  }

  /**
   * @param names what stands in the sample, and what is put there
   * @param meanwhile something that is done while it runs
   */
  async run(
    { language, text: sample }: Sample,
    names: Readonly<Record<string, string>>,
    {
      followedBy = '',
      meanwhile,
    }: { followedBy?: string | undefined; meanwhile?: ((child: ChildProcess) => Promise<void>) | undefined } = {},
  ): Promise<Ended> {
    const runner = RUNNERS.find(({ sign }) => sign.test(sample));
    if (!runner) throw new Error('no runner for this sample');
    const file = join(this.folder, runner.file(sample));
    writeFileSync(file, this.#programOf(sample + followedBy, language, names));
    const child = spawn(process.execPath, runner.args(file), {
      cwd: this.folder,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 90_000,
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [output, errors, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      ended,
      meanwhile?.(child),
    ]);
    rmSync(file);
    return { code, output, errors: runner.isTalkative && code === 0 ? '' : errors };
  }

  /** JavaScript runs as it stands, but for the names. */
  #programOf(sample: string, language: string, names: Readonly<Record<string, string>>): string {
    let source = isProgram(sample) ? sample : aroundPiece(sample);
    for (const [name, here] of Object.entries(names)) source = source.replaceAll(name, here);
    if (language.includes('j') && isProgram(sample)) return source;
    const isTest = /^test\(/m.test(sample);
    const module = isTest ? ts.ModuleKind.CommonJS : ts.ModuleKind.ESNext;
    return ts.transpileModule(source, { compilerOptions: { target: ts.ScriptTarget.ES2022, module } }).outputText;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What a sample says that it prints. */
export const shownBy = ({ text: sample }: Sample): string[] =>
  [...sample.matchAll(/console\.log\(.*\);\s*\/\/ prints: (.*)$/gm)].map(([, shown = '']) => shown);

/** Without what Jest tells its own. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, JEST_WORKER_ID: __, NODE_ENV: ___, ...env } = process.env;
  return { ...env, CI: 'true', NO_COLOR: '1' };
}
