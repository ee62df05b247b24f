// The mirror's declarations as the compiler sees them, for tests that hold them against the addon and against libvirt's description.
import { join } from 'node:path';
import ts from 'typescript';

const root = join(__dirname, '..', '..');
const config = ts.parseJsonConfigFileContent(
  ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config,
  ts.sys,
  root,
);
const entry = join(root, 'lib', 'libvirt', 'index.ts');
const program = ts.createProgram([entry], config.options);
export const checker = program.getTypeChecker();
const source = program.getSourceFile(entry);
const moduleSymbol = source && checker.getSymbolAtLocation(source);

export interface DeclaredParameter {
  name: string;
  isOptional: boolean;
  /** As it is written. */
  text: string;
  type: ts.Type;
}
export interface Declared {
  parameters: DeclaredParameter[];
  result: string;
  doc: string;
}

const membersOf = new Map<string, Map<string, Declared>>();

function exported(name: string): ts.Symbol | undefined {
  const alias = moduleSymbol && checker.getExportsOfModule(moduleSymbol).find((symbol) => symbol.name === name);
  return alias && alias.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(alias) : alias;
}

/** Methods that the interface of this class declares; those of the class itself are written by hand. */
export function declared(className: string): Map<string, Declared> {
  const known = membersOf.get(className);
  if (known !== undefined) return known;
  const members = new Map<string, Declared>();
  membersOf.set(className, members);
  for (const declaration of exported(className)?.declarations ?? []) {
    if (!ts.isInterfaceDeclaration(declaration)) continue;
    for (const member of declaration.members) {
      if (!ts.isMethodSignature(member)) continue;
      members.set(member.name.getText(), {
        parameters: member.parameters.map((parameter) => ({
          name: parameter.name.getText(),
          isOptional: parameter.questionToken !== undefined,
          text: parameter.type?.getText() ?? '',
          type: checker.getTypeAtLocation(parameter),
        })),
        result: member.type?.getText() ?? '',
        doc: (ts.getJSDocCommentsAndTags(member)[0]?.getText() ?? '').replace(/\s*\n\s*\*\s*/g, ' '),
      });
    }
  }
  return members;
}

/** Names and types of what an exported interface or type has; index signatures are left out. */
export function fieldsOf(typeName: string): Record<string, string> {
  const symbol = exported(typeName);
  if (symbol === undefined) throw new Error(`${typeName} is not exported`);
  return fields(checker.getDeclaredTypeOfSymbol(symbol));
}

export function fields(type: ts.Type): Record<string, string> {
  const names = checker.getPropertiesOfType(type).map((property) => {
    const bare = checker.getNonNullableType(checker.getTypeOfSymbol(property));
    return [property.name, checker.typeToString(bare)] as const;
  });
  return Object.fromEntries(names.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export interface BareNumber {
  /** `DomainInfo.memory` and so on. */
  name: string;
  /** What its own docstring says, or that of the field that it is a part of. */
  own: string;
  /** What that of its whole type says. */
  whole: string;
}

/** Fields of exported types, also of those inside others, that are numbers and no values of an enum. */
export function bareNumbers(): BareNumber[] {
  const found: BareNumber[] = [];
  const visit = (node: ts.Node, own: string, name: string, whole: string): void => {
    const isField =
      ts.isPropertySignature(node) || ts.isPropertyDeclaration(node) || ts.isIndexSignatureDeclaration(node);
    const said = isField ? docOf(node) || own : own;
    if (isField && node.type && isBareNumber(node.type)) {
      const field = ts.isIndexSignatureDeclaration(node) ? (node.parameters[0]?.getText() ?? '') : node.name.getText();
      found.push({ name: `${name}.${field}`, own: said, whole });
    }
    ts.forEachChild(node, (child) => visit(child, said, name, whole));
  };
  for (const { name } of moduleSymbol ? checker.getExportsOfModule(moduleSymbol) : []) {
    for (const node of exported(name)?.declarations ?? []) {
      if (ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node) || ts.isTypeAliasDeclaration(node))
        visit(node, '', name, docOf(node));
    }
  }
  return found;
}

function docOf(node: ts.Node): string {
  return ts
    .getJSDocCommentsAndTags(node)
    .map((doc) => doc.getText())
    .join(' ');
}

/** `number`, `number | bigint | undefined`, `readonly number[]`; not the name of an enum. */
function isBareNumber(type: ts.TypeNode): boolean {
  const words = new Set(type.getText().match(/[^\s|[\]()]+/g));
  for (const word of ['readonly', 'undefined', 'null']) words.delete(word);
  return words.size > 0 && [...words].every((word) => word === 'number' || word === 'bigint');
}

/** The kind of a type, where a name of an enum is a number. */
export function kindOf(text: string): string {
  return /^\w*[A-Z]\w*$/.test(text) || /^(Value<|\(?number & )/.test(text) ? 'number' : text;
}
