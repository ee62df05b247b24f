// Writes scripts/libvirt-api/newer.xml: what a newer libvirt's description of its API has beyond that of the libvirt
// that the addon is compiled with. Functions, callbacks and enum values, without their texts.
//   node scripts/newer-api.mjs path/to/newer/libvirt-api.xml
import { readFileSync, writeFileSync } from 'node:fs';
import { installedDescription, newerPath } from './libvirt-api.mjs';

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: node scripts/newer-api.mjs path/to/libvirt-api.xml');

const ELEMENT = /<(function|functype|enum) name='(\w+)'[^>]*?(?:\/>|>[\s\S]*?<\/\1>)/g;
const installed = new Set([...installedDescription().matchAll(ELEMENT)].map(([, kind, name]) => `${kind} ${name}`));
const bare = (element) =>
  element
    .replace(/\s*<info>[\s\S]*?<\/info>|\s*<acls>[\s\S]*?<\/acls>|\s(?:file|module)='[^']*'/g, '')
    .replace(/^(<enum.*?) info=(?:'[^']*'|"[^"]*")/, '$1')
    .replace(/\n\s*/g, '\n  ')
    .replace(/\n {2}(<\/func)/, '\n$1');
const newer = [...readFileSync(path, 'utf8').matchAll(ELEMENT)]
  .filter(([, kind, name]) => !installed.has(`${kind} ${name}`))
  .map(([element]) => bare(element));
writeFileSync(newerPath, `<api>\n${newer.join('\n')}\n</api>\n`);
