// Looks at the pictures as a browser lays them out. Where there is no Chromium, these are skipped and say so.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { drawTimeline, drawTree, type PictureFormat } from '../../lib/picture';
import { CHROMIUM, resultOfPage } from '../browser';
import { hostile, large, largeSets, plan, small, timeline } from '../picture-samples';

const drawn = (format: PictureFormat): Record<string, string> => ({
  small: drawTree(small, { format }),
  large: drawTree(large, { format, snapshots: largeSets }),
  hostile: drawTree(hostile, { format }),
  measured: drawTimeline(timeline, { format }),
  planned: drawTimeline(plan, { format }),
});

interface Seen {
  name: string;
  texts: number;
  scripts: number;
  contrast: number;
  faults: string[];
}

/** Runs in the page, whose objects this program's types do not know. */
const LOOK = readFileSync(join(__dirname, '..', 'look-at-pictures.js'), 'utf8');

/** Within a script only the sign that could end it has to go. */
const inScript = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');

const pageOf = (work: string, head = ''): string =>
  `<!DOCTYPE html><meta charset="utf-8"><style>iframe{border:0}</style>${head}<body><pre id="result"></pre><script>
  const tell = (value) => { const bytes = new TextEncoder().encode(JSON.stringify(value)); let text = '';
    for (const byte of bytes) text += String.fromCharCode(byte); document.getElementById('result').textContent = btoa(text); };
  (async () => tell(await (${work})))().catch((error) => tell(String(error && error.stack)));</script>`;

const inPage = (svg: string): string => `<!DOCTYPE html><meta charset="utf-8"><body style="margin:0">${svg}`;
const PATIENCE = 60_000;
const withChromium = CHROMIUM ? describe : describe.skip;

withChromium(`in Chromium${CHROMIUM ? '' : ': skipped, for this machine has none (apt-get install chromium)'}`, () => {
  test.each(['light', 'dark'] as const)(
    '%s: no text overlaps, is squeezed, leaves its box or is hard to read',
    async (scheme) => {
      const svgs = Object.entries(drawn('svg')).map(([name, svg]) => [`${name}.svg`, inPage(svg)]);
      const pages = { ...Object.fromEntries(svgs), ...drawn('html') };
      const seen: Seen[] = JSON.parse(
        await resultOfPage(pageOf(`(() => { ${LOOK}; return look(${inScript(pages)}); })()`), scheme),
      );
      expect(seen).toHaveLength(30);
      expect(seen.flatMap(({ name, faults }) => faults.map((fault) => `${name}: ${fault}`))).toEqual([]);
      for (const { name, contrast, texts, scripts } of seen) {
        expect({ name, isReadable: contrast >= 4.5, contrast }).toEqual({ name, isReadable: true, contrast });
        expect({ name, hasText: texts > 2, scripts }).toEqual({ name, hasText: true, scripts: 0 });
      }
    },
    PATIENCE,
  );

  test(
    'Mermaid reads and draws each of its charts',
    async () => {
      const charts = drawn('mermaid');
      const bundle = join(dirname(createRequire(__filename).resolve('mermaid')), 'mermaid.min.js');
      const work = `(async (charts) => { mermaid.initialize({ startOnLoad: false }); const seen = {};
      for (const [name, chart] of Object.entries(charts)) {
        try { await mermaid.parse(chart); const { svg } = await mermaid.render(name, chart); seen[name] = /<script/i.test(svg) ? 'a script' : 'drawn'; }
        catch (error) { seen[name] = String(error); } } return seen; })(${inScript(charts)})`;
      const page = pageOf(work, `<script src="${pathToFileURL(bundle)}"></script>`);
      const seen: Record<string, string> = JSON.parse(await resultOfPage(page, 'light'));
      expect(seen).toEqual(Object.fromEntries(Object.keys(charts).map((name) => [name, 'drawn'])));
    },
    PATIENCE,
  );
});
