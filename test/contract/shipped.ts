/** The package's types as a user's compiler meets them: built, and installed in the node_modules of an empty project. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(__dirname, '../..');
const programs = join(__dirname, 'programs');

export interface Complaint {
  /** The file's name in the project. */
  file: string;
  /** From 1. */
  line: number;
  message: string;
}

export class UserProject implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'contract-'));

  constructor() {
    const modules = join(this.folder, 'node_modules');
    const installed = join(modules, 'libvirt-disksnapshot');
    mkdirSync(installed, { recursive: true });
    cpSync(join(root, 'package.json'), join(installed, 'package.json'));
    emitDeclarations(join(installed, 'dist'));
    for (const scope of ['@types', '@jest']) symlinkSync(join(root, 'node_modules', scope), join(modules, scope));
  }

  /** Copies the users' programs in; their names. */
  addPrograms(): string[] {
    const names = readdirSync(programs).filter((name) => !name.endsWith('.json'));
    for (const name of names) cpSync(join(programs, name), join(this.folder, name));
    return names;
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** What the compiler says of these files, and of all that they import, under the options of the users' programs. */
  compile(names: readonly string[]): Complaint[] {
    const { options } = readConfig(join(programs, 'tsconfig.json'));
    const files = names.map((name) => join(this.folder, name));
    const typeRoots = [join(this.folder, 'node_modules/@types')];
    return ts
      .getPreEmitDiagnostics(ts.createProgram(files, { ...options, typeRoots }))
      .map((diagnostic) => complaint(this.folder, diagnostic));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What `npm run build` writes for types, whatever an earlier build left behind. */
function emitDeclarations(outDir: string): void {
  const { fileNames, options } = readConfig(join(root, 'tsconfig.build.json'));
  ts.createProgram(fileNames, { ...options, outDir, noEmit: false, emitDeclarationOnly: true }).emit();
  for (const folder of ['.', 'libvirt', 'testing']) {
    writeFileSync(join(outDir, folder, 'index.d.mts'), "export * from './index.js';\n");
  }
}

function readConfig(path: string): ts.ParsedCommandLine {
  const host: ts.ParseConfigFileHost = {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
      throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'));
    },
  };
  const config = ts.getParsedCommandLineOfConfigFile(path, {}, host);
  if (!config) throw new Error(`${path} cannot be read`);
  return config;
}

function complaint(folder: string, { file, start = 0, messageText }: ts.Diagnostic): Complaint {
  return {
    file: file?.fileName.replace(`${folder}/`, '') ?? '',
    line: file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0,
    message: ts.flattenDiagnosticMessageText(messageText, '\n'),
  };
}
