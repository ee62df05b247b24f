// Headless Chromium as a pair of eyes: it lays out a page, a script in it measures, and what it wrote down comes back.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

const run = promisify(execFile);
const SCHEMES = { dark: 0, light: 1 } as const;

/** The text of the element `#result` once the page has come to rest. */
export async function resultOfPage(page: string, scheme: keyof typeof SCHEMES): Promise<string> {
  if (!CHROMIUM) throw new Error('there is no chromium on this machine');
  const folder = await mkdtemp(join(tmpdir(), 'picture-'));
  try {
    await writeFile(join(folder, 'page.html'), page);
    const { stdout } = await run(
      CHROMIUM,
      [
        ...[
          '--headless',
          '--no-sandbox',
          '--disable-gpu',
          '--hide-scrollbars',
          `--user-data-dir=${join(folder, 'profile')}`,
        ],
        ...[`--blink-settings=preferredColorScheme=${SCHEMES[scheme]}`, '--virtual-time-budget=20000', '--dump-dom'],
        join(folder, 'page.html'),
      ],
      { maxBuffer: 64 << 20, timeout: 50_000 },
    );
    const [, encoded = ''] = /<pre id="result">([A-Za-z0-9+/=]*)<\/pre>/.exec(stdout) ?? [];
    return Buffer.from(encoded, 'base64').toString();
  } finally {
    await rm(folder, { recursive: true, maxRetries: 5 });
  }
}
