// Somebody who has the tarball, an empty folder, Node, npm and a shell, and no compiler.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npm, npmCache, run } from './programs';

export const tarball = (): string => {
  if (!process.env.PACKAGE_TARBALL) throw new Error('no tarball: run these tests as the Jest project `package`');
  return process.env.PACKAGE_TARBALL;
};

export class User implements Disposable {
  readonly home = mkdtempSync(join(tmpdir(), 'libvirt-disksnapshot-user-'));
  readonly folder = join(this.home, 'project');
  readonly installed = join(this.folder, 'node_modules', 'libvirt-disksnapshot');
  readonly #programs = join(this.home, 'bin');

  constructor(readonly node: string = process.execPath) {
    for (const folder of [this.folder, this.#programs]) mkdirSync(folder);
    symlinkSync(node, join(this.#programs, 'node'));
    symlinkSync('/bin/sh', join(this.#programs, 'sh'));
    this.write('package.json', '{ "private": true }');
  }

  /** One for whom the package is installed already, once for all tests. */
  static withPackage(): User {
    const user = new User();
    cpSync(process.env.PACKAGE_PROJECT ?? '', user.folder, { recursive: true });
    return user;
  }

  /** @param program npm-cli.js */
  async install(program: string = npm()): Promise<void> {
    await this.npm(['install', '--prefer-offline', '--no-audit', '--no-fund', tarball()], program);
  }

  npm(args: readonly string[], program: string = npm(), env: NodeJS.ProcessEnv = {}): Promise<string> {
    return this.run([program, ...args], { npm_config_cache: npmCache, npm_config_update_notifier: 'false', ...env });
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** Runs a program of Node. */
  run(args: readonly string[], env: NodeJS.ProcessEnv = {}, node = this.node): Promise<string> {
    const own = { HOME: this.home, PATH: this.#programs, NODE_DISABLE_COMPILE_CACHE: '1' }; // which would lie in the temporary directory
    return run(node, args, { cwd: this.folder, env: { ...env, ...own } });
  }

  /** What stands in the package's folder. */
  content(): string[] {
    return readdirSync(this.installed).sort();
  }

  [Symbol.dispose](): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** The first steps on libvirt's test driver: what a host without a single guest can run. */
const QUICK_START = `
const conn = await connect('test:///default');
const dom = await conn.domainLookupByName('test');
const plan = await planSnapshot(dom);
const error = await snapshotDisks(dom).catch((error) => error);
console.log(dom.getName(), plan.willFreeze, error instanceof DiskSnapshotError, typeof TestGuest.boot);
await conn.close();
`;
/** libvirt's test driver has no agent, and takes no snapshot of disks: the error is ours. */
export const QUICK_START_SAYS = 'test false true function\n';

const IMPORTS = `
import { connect, DiskSnapshotError, planSnapshot, snapshotDisks } from 'libvirt-disksnapshot';
import { TestGuest } from 'libvirt-disksnapshot/testing';
`;
export const ESM = IMPORTS + QUICK_START;
/** Without a top-level await, so that it is CommonJS where the file's name says so. */
export const TYPESCRIPT = `${IMPORTS}async function main(): Promise<void> {${QUICK_START}}\nvoid main();`;

export const CJS = `
const { connect, DiskSnapshotError, planSnapshot, snapshotDisks } = require('libvirt-disksnapshot');
const { TestGuest } = require('libvirt-disksnapshot/testing');
(async () => {${QUICK_START}})();`;
