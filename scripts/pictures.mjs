// npm run pictures: docs/pictures anew, from a real guest: snapshots, a revert that leaves a branch, one snapshot measured.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { heading, note } from './console.mjs';
import { root } from './process.mjs';
import { setup } from './setup.mjs';

await setup({ packages: ['chromium'] });
const require = createRequire(import.meta.url);
const { diskTree, listDiskSnapshots, snapshotDisks } = require('../dist');
const { drawTimeline, drawTree, recordTimeline } = require('../dist/picture');
const { TestGuest } = require('../dist/testing');

heading('A guest to draw');
const guest = await TestGuest.boot({ disks: 2 });
const pages = [];
try {
  const { domain } = guest;
  // A revert needs a definition that can name other disks.
  await domain.connection.domainDefineXML(await domain.getXMLDesc());
  await snapshotDisks(domain, { name: 'monday' });
  const recorder = recordTimeline();
  const nightly = await snapshotDisks(domain, { name: 'nightly', onProgress: recorder.onProgress });
  const timeline = readable(recorder.finish(nightly));
  await snapshotDisks(domain, { name: 'attempt', disks: ['vda'] });
  await nightly.revert({ force: true });
  const inside = { vdb: { method: 'qemu', mode: 'internal' } };
  await snapshotDisks(domain, { name: 'inside', disks: inside, quiesce: 'never' });
  const tree = { ...readable(await diskTree(domain)), uri: 'qemu:///embed' };
  const snapshots = readable(await listDiskSnapshots(domain));
  note(drawTree(tree, { format: 'text', snapshots }));
  note(drawTimeline(timeline, { format: 'text' }));
  for (const scheme of ['light', 'dark']) {
    pages.push({
      name: `tree-${scheme}`,
      scheme,
      html: drawTree(tree, { format: 'html', snapshots }),
      size: '800,860',
    });
    pages.push({
      name: `timeline-${scheme}`,
      scheme,
      html: drawTimeline(timeline, { format: 'html' }),
      size: '800,400',
    });
  }
} finally {
  await guest.domain.undefine().catch(() => undefined); // it may not have been defined yet
  await guest.close();
}

heading('Their pictures');
const folder = mkdtempSync(join(tmpdir(), 'pictures-'));
try {
  mkdirSync(join(root, 'docs', 'pictures'), { recursive: true });
  for (const page of pages) photograph(page);
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** The temporary folder and name of the guest say nothing to a reader. */
function readable(data) {
  return JSON.parse(JSON.stringify(data).replaceAll(guest.directory, '/images').replaceAll(guest.name, 'web1'));
}

function photograph({ name, scheme, html, size }) {
  const file = join(folder, `${name}.html`);
  const picture = join(root, 'docs', 'pictures', `${name}.png`);
  writeFileSync(file, html);
  const look = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--hide-scrollbars',
    `--user-data-dir=${join(folder, 'profile')}`,
  ];
  const colours = `--blink-settings=preferredColorScheme=${scheme === 'dark' ? 0 : 1}`;
  execFileSync('chromium', [...look, colours, `--window-size=${size}`, `--screenshot=${picture}`, file], {
    stdio: 'ignore',
  });
  note(picture);
}
