// Which members of the mirror the tests call and expect to succeed: by the types of what they call, not by its name alone.
import { join } from 'node:path';
import ts from 'typescript';

const root = join(__dirname, '..', '..');
const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);

/** Compiled only. */
const NEVER_RUN = /\bcontract\/(mirror-types\.ts|programs\/)/;
/** What an example has installed leads, by a link of npm's, to this whole tree again. */
const INSTALLED = ['**/node_modules', '**/dist'];

/** Calls inside of these are expected to fail, or may. */
const FAILING = /^(rejection|rejects|toThrow|catch|allSettled)$/;

/** `Domain.suspend` and so on. */
export function calledMembers(folders: readonly string[]): Set<string> {
  const files = folders
    .flatMap((folder) => ts.sys.readDirectory(join(root, folder), ['.ts'], INSTALLED))
    .filter((file) => !file.endsWith('.d.ts') && !NEVER_RUN.test(file));
  const program = ts.createProgram(files, { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const called = new Set<string>();

  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && !mayFail(node)) {
      const symbol = checker.getSymbolAtLocation(node.expression.name);
      for (const declaration of symbol?.declarations ?? []) {
        if (ts.isMethodSignature(declaration) && ts.isInterfaceDeclaration(declaration.parent))
          called.add(`${declaration.parent.name.text}.${declaration.name.getText()}`);
      }
    }
    ts.forEachChild(node, visit);
  };
  for (const file of files) {
    const source = program.getSourceFile(file);
    if (source) visit(source);
  }
  return called;
}

/** Whether what the call gives goes straight into something that expects, or bears, a failure. */
function mayFail(call: ts.Node): boolean {
  for (let node = call.parent; node; node = node.parent) {
    if (ts.isCallExpression(node)) {
      const { expression } = node;
      const name = ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText();
      if (FAILING.test(name) || /\.rejects\b/.test(expression.getText())) return true;
      if (name === 'expect' && ts.isPropertyAccessExpression(node.parent) && node.parent.name.text === 'rejects')
        return true;
    }
    if (ts.isStatement(node)) return false;
  }
  return false;
}
