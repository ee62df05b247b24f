// Before the tests of the package: the tarball, as `npm pack` makes it, and a project in which it is installed. The environment
// tells where they are.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { npm, run } from './programs';
import { User } from './user';

const ROOT = join(__dirname, '..', '..');

export default async function pack(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'libvirt-disksnapshot-pack-'));
  const said = await run(process.execPath, [npm(), 'pack', '--json', '--pack-destination', folder], { cwd: ROOT });
  const [{ filename }] = JSON.parse(said);
  process.env.PACKAGE_TARBALL = join(folder, filename);
  const user = new User();
  await user.install();
  process.env.PACKAGE_PROJECT = user.folder;
  process.env.PACKAGE_FOLDERS = [folder, user.home].join(delimiter);
}
