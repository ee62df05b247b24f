// Why the addon does not load, and what helps: the first thing that somebody may read of us.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FROM_SOURCE = 'npm_config_build_from_source=true npm rebuild libvirt-disksnapshot';

/** @param root the package's folder */
export function loadError(cause: unknown, root: string): Error {
  const said = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
  const here = `${process.platform} ${process.arch}, Node ${process.version}`;
  const lines = [
    `libvirt-disksnapshot: the native addon could not be loaded (${here}).`,
    `  ${said}`,
    ...advice(said, root),
  ];
  return new Error(lines.join('\n'), { cause });
}

function advice(said: string, root: string): string[] {
  if (process.platform !== 'linux')
    return [
      'The addon runs on Linux only; elsewhere the package serves for its types. Run the program on Linux, for example in a container.',
    ];
  if (said.startsWith('No native build was found'))
    return [
      'The package has no prebuilt binary for this platform, and none was built when it was installed. What helps:',
      '- npm 12 runs no install script that is not approved:',
      '    npm install-scripts approve libvirt-disksnapshot && npm rebuild libvirt-disksnapshot',
      '- the build failed, or was left out by --ignore-scripts: npm rebuild libvirt-disksnapshot',
      ...needs(root),
      '- in a checkout: npm run build',
    ];
  if (/version `[\w.]+' not found/.test(said))
    return [
      'This system is older than the prebuilt binary allows. Build it here:',
      `    ${FROM_SOURCE}`,
      ...needs(root),
    ];
  return [
    'The binary was made for another system (were node_modules copied from there?) or is damaged. Install the package here anew,',
    'or build it:',
    `    ${FROM_SOURCE}`,
    ...needs(root),
  ];
}

function needs(root: string): string[] {
  const packages: Record<string, string> = JSON.parse(readFileSync(join(root, 'scripts/build-packages.json'), 'utf8'));
  return [
    '  It needs:',
    ...Object.entries(packages).map(([system, install]) => `    ${`${system}:`.padEnd(16)} ${install}`),
  ];
}
