// libvirt's own description of its API: that of the installed libvirt, and what newer ones have beyond it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const newerPath = fileURLToPath(new URL('./libvirt-api/newer.xml', import.meta.url));

export function installedDescription() {
  return [
    ['libvirt', 'libvirt_api'],
    ['libvirt-qemu', 'libvirt_qemu_api'],
  ]
    .map(([module, variable]) => execFileSync('pkg-config', [`--variable=${variable}`, module], { encoding: 'utf8' }))
    .map((path) => readFileSync(path.trim(), 'utf8'))
    .join('\n');
}

/** Both. What the installed one has is taken from it alone. */
export function description() {
  const installed = installedDescription();
  const newer = readFileSync(newerPath, 'utf8').matchAll(/<(\w+) name='(\w+)'[^>]*?(?:\/>|>[\s\S]*?<\/\1>)/g);
  const missing = [...newer].filter(([, kind, name]) => !installed.includes(`<${kind} name='${name}'`));
  return [installed, ...missing.map(([element]) => element)].join('\n');
}
