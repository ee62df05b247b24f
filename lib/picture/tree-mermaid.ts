// The tree as a Mermaid flow chart, for documents that draw it themselves.
import { besideWords, markWords, SHAPES, STATE_WORDS } from './tree-legend';
import type { DiskPicture, TreePicture } from './tree-model';
import { shorten } from './words';

const LONGEST = 80;

export function treeMermaid({ guest, uri, disks }: TreePicture): string {
  const lines = [
    'flowchart TB',
    '  classDef live stroke:#009e73,stroke-width:3px',
    '  classDef branch stroke:#cc79a7,stroke-dasharray:4 3',
    '  classDef missing stroke:#d55e00,stroke-width:3px,stroke-dasharray:2 2',
    `  guest[${quoted(guest, uri)}]`,
  ];
  for (const [at, disk] of disks.entries()) lines.push(...diskLines(`d${at}`, disk));
  return `${lines.join('\n')}\n`;
}

function diskLines(id: string, { disk, virtualSize, policy, rows, beside }: DiskPicture): string[] {
  const about = [virtualSize, ...(policy === null ? [] : [`method ${policy}`])];
  const lines = [`  ${id}([${quoted(disk, about.join(' · '))}])`, `  guest --- ${id}`];
  // By lane, the image whose line is still open: the row in which it ends is what that image rests on.
  const open = new Map<number, string>();
  for (const [at, row] of rows.entries()) {
    const image = `${id}i${at}`;
    const state = STATE_WORDS[row.state];
    const own = [
      row.source,
      row.detail,
      ...(state === '' ? [] : [`${SHAPES[row.state]} ${state}`]),
      ...row.snapshots.map(markWords),
    ];
    const shape = row.state === 'below' ? '' : `:::${row.state}`;
    lines.push(`  ${image}[(${quoted(...own)})]${shape}`);
    for (const lane of row.isRestedOn ? [row.lane, ...row.joining] : []) {
      const above = open.get(lane);
      if (above !== undefined) lines.push(`  ${above} --> ${image}`);
      open.delete(lane);
    }
    open.set(row.lane, image);
    if (at === 0) lines.push(`  ${id} --> ${image}`);
  }
  for (const [at, mark] of beside.entries()) {
    lines.push(
      `  ${id}s${at}[${quoted(besideWords(mark))}]${mark.isPresent ? '' : ':::missing'}`,
      `  ${id} -.- ${id}s${at}`,
    );
  }
  return lines;
}

/** Letters, digits and a few signs; everything else as Mermaid's entity, for its grammar and Markdown read the rest. */
export function quoted(...lines: readonly string[]): string {
  const safe = lines.map((line) =>
    shorten(line, LONGEST).replace(
      /[^\p{L}\p{M}\p{N} ./,:·●◌✕◆◇…_-]/gu,
      (character) => `#${character.codePointAt(0)};`,
    ),
  );
  return `"${safe.join('<br>')}"`;
}
