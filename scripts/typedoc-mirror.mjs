// A plug-in of typedoc. Each function of the mirror is told by its C function, in libvirt's own words where it has none here;
// and the facade's properties must be documented, where those of C structures need not.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Application, Comment, CommentTag, Converter, ReflectionKind } from 'typedoc';

const require = createRequire(import.meta.url);
const { native } = require('../dist/native');
const { memberName } = require('../dist/libvirt/member-name');

/** Comes with libvirt-dev, as the headers do that the addon is built with. */
const DESCRIPTIONS = ['libvirt', 'libvirt-qemu'].map((name) => `/usr/share/libvirt/api/${name}-api.xml`);
const FUNCTION = /<function name='(\w+)' file='([\w-]+)'[\s\S]*?<info><!\[CDATA\[([\s\S]*?)\]\]>/g;

/** Where every property says what it means. */
const OURS = /lib\/(disk-snapshot|testing)\//;

/** @param {Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => describeMirror(project));
  app.on(Application.EVENT_VALIDATE_PROJECT, (project) => {
    for (const property of project.getReflectionsByKind(ReflectionKind.Property)) {
      const { parent } = property;
      if (!parent?.kindOf(ReflectionKind.ClassOrInterface) || property.hasComment() || property.flags.isInherited)
        continue;
      if (OURS.test(project.getSymbolIdFromReflection(property)?.packagePath ?? '')) {
        app.logger.warn(`${property.getFriendlyFullName()} does not have any documentation`);
      }
    }
  });
}

function describeMirror(project) {
  const known = libvirtFunctions();
  const bound = new Map(native.functions.map((fn) => [`${fn.receiver}.${memberName(fn.name, fn.receiver)}`, fn.name]));
  for (const method of project.getReflectionsByKind(ReflectionKind.Method)) {
    const name = bound.get(`${method.parent?.name}.${method.name}`);
    for (const signature of name ? (method.signatures ?? []) : []) tell(signature, name, known.get(name));
  }
}

function tell(signature, name, described) {
  signature.comment ??= new Comment([{ kind: 'text', text: described?.sentence ?? '' }]);
  const link = described && `https://libvirt.org/html/libvirt-${described.file}.html#${name}`;
  const see = new CommentTag('@see', [{ kind: 'text', text: link ? `[${name}](${link})` : name }]);
  signature.comment.blockTags.push(see);
}

function libvirtFunctions() {
  const texts = DESCRIPTIONS.filter(existsSync).map((path) => readFileSync(path, 'utf8'));
  return new Map(
    texts.flatMap((text) =>
      [...text.matchAll(FUNCTION)].map(([, name, file, info]) => [name, { file, sentence: firstSentence(info) }]),
    ),
  );
}

const firstSentence = (info) => /^[\s\S]*?(\.(?=\s|$)|$)/.exec(info.trim())?.[0].replaceAll(/\s+/g, ' ') ?? '';
