/** Turns the contract's declarations into assignments that compile only while the package keeps them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export interface Promised {
  name: string;
  kind: 'value' | 'class' | 'type';
  /** Of a generic type: arguments to compare it with. */
  typeArguments: string;
}

/** Which of the two must do for the other. Ours may always say more than was promised. */
type Direction = 'given' | 'taken' | 'both';

/** Handles: elsewhere in the contract their names mean ours, so that a function that takes ours can be compared. */
const HANDLES = ['Connection', 'Domain', 'DomainSnapshot', 'TestGuest'];

/** Types that only we give to users; the others, but for those that users pass, go both ways. */
const GIVEN = ['DomainEvents', ...HANDLES];
const isTaken = (name: string): boolean => /Options$|^FlagsArg$|^WithQuiesce$|^SnapshotMethod$/.test(name);

const ARGUMENTS: Readonly<Record<string, string>> = {
  Flag: "<'DomainXMLFlags'>",
  FlagsArg: "<'DomainXMLFlags'>",
  Subscription: '<{ domain: string }>',
  MethodContext: '<{ volume: string }>',
  SnapshotMethod: '<{ volume: string }, { id: string }>',
};

export class Declarations {
  readonly promised: readonly Promised[];
  readonly #source: ts.SourceFile;

  constructor(readonly file: 'index.d.ts' | 'testing.d.ts') {
    const text = readFileSync(join(__dirname, file), 'utf8');
    this.#source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    this.promised = this.#source.statements.flatMap(promisedBy).filter(unique);
  }

  /** The declarations, in which those of handles have a name of their own, and the handles' names mean ours. */
  withHandlesOf(packageName: string): string {
    const handles: string[] = [];
    const parts = this.#source.statements.map((statement) => {
      const text = statement.getFullText();
      if (!ts.isClassDeclaration(statement) || !statement.name || !HANDLES.includes(statement.name.text)) return text;
      handles.push(statement.name.text);
      return text.replace(`class ${statement.name.text}`, `class ${shown(statement.name.text)}`);
    });
    return `import { ${handles.join(', ')} } from '${packageName}';\n${parts.join('')}`;
  }

  /** One line for each promised name, in the order of `promised`, that compiles only while we keep it. */
  assignments(): string[] {
    return this.promised.map(({ name, kind, typeArguments }) => {
      if (kind === 'value') return `export const ${name}: typeof Promised.${name} = Ours.${name};`;
      const ours = `ours${name}`;
      const promised = `promised${name}`;
      const promisedName = HANDLES.includes(name) ? shown(name) : name;
      const given = `${promised} = ${ours};`;
      const taken = `${ours} = ${promised};`;
      const direction = directionOf(name);
      return [
        // A class that was exported as a type alone could not stand behind `instanceof`.
        kind === 'class' ? `void Ours.${name};` : '',
        `declare let ${ours}: Ours.${name}${typeArguments}, ${promised}: Promised.${promisedName}${typeArguments};`,
        direction === 'taken' ? '' : given,
        direction === 'given' ? '' : taken,
      ].join(' ');
    });
  }
}

const shown = (handle: string): string => `Shown${handle}`;

function directionOf(name: string): Direction {
  if (GIVEN.includes(name)) return 'given';
  return isTaken(name) ? 'taken' : 'both';
}

function promisedBy(statement: ts.Statement): Promised[] {
  const exported =
    ts.canHaveModifiers(statement) &&
    ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
  if (!exported) return [];
  const promise = (name: string, kind: Promised['kind']): Promised => ({
    name,
    kind,
    typeArguments: kind === 'type' ? (ARGUMENTS[name] ?? '') : '',
  });
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => promise(name.getText(), 'value'));
  }
  if (ts.isFunctionDeclaration(statement) && statement.name) return [promise(statement.name.text, 'value')];
  if (ts.isClassDeclaration(statement) && statement.name) return [promise(statement.name.text, 'class')];
  if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
    return [promise(statement.name.text, 'type')];
  }
  throw new Error(`the declarations hold an export of a kind that is not compared: ${statement.getText()}`);
}

const unique = (one: Promised, index: number, all: Promised[]): boolean =>
  all.findIndex(({ name, kind }) => name === one.name && kind === one.kind) === index;
