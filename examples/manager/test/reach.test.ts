// The page for those who use no mouse or no eyes, in the light and in the dark, and on a telephone: in a real browser, over
// guests that are made up.
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { Actions } from '../src/actions.ts';
import { Board } from '../src/board.ts';
import { Metrics } from '../src/metrics.ts';
import { Operations } from '../src/operations.ts';
import { serve } from '../src/server.ts';
import { fill } from './made-up.ts';

jest.setTimeout(120_000);

const TOKEN = 'a-token';
const board = new Board();
const stop = new AbortController();
let server: Awaited<ReturnType<typeof serve>>;
let browser: Browser;
beforeAll(async () => {
  fill(board);
  const metrics = new Metrics(board);
  const actions = new Actions(new Map(), new Operations(board, metrics.onFailure), metrics.onSnapshot);
  server = await serve({ config: { token: TOKEN, names: [] }, board, actions, metrics, signal: stop.signal });
  await server.listen({ host: '127.0.0.1', port: 0 });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
});
afterAll(async () => {
  await browser?.close();
  stop.abort();
  await server?.close();
});

interface Look {
  width?: number;
  colorScheme?: 'light' | 'dark';
  token?: string;
}

async function open({ width = 1280, colorScheme = 'light', token = TOKEN }: Look = {}): Promise<Page> {
  const viewport = { width, height: 860 };
  // The page's policy allows no script but its own; what judges it comes from elsewhere.
  const context = await browser.newContext({ viewport, colorScheme, bypassCSP: true });
  const page = await context.newPage();
  const { port } = server.server.address() as AddressInfo;
  await page.goto(`http://127.0.0.1:${port}/${token && `#${token}`}`);
  await page.getByRole('article', { name: 'database' }).waitFor();
  return page;
}

/** What axe has against the page, by WCAG 2.2 AA and good practice. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const found = await page.evaluate(
    (runOnly) => (globalThis as unknown as { axe: typeof axe }).axe.run({ runOnly }),
    tags,
  );
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

test.each([
  { name: 'light', width: 1280, colorScheme: 'light', token: TOKEN },
  { name: 'dark', width: 1280, colorScheme: 'dark', token: TOKEN },
  { name: 'narrow', width: 390, colorScheme: 'light', token: '' },
  { name: 'narrowest', width: 320, colorScheme: 'dark', token: TOKEN },
] as const)('axe has nothing against it, and nothing lies beside the screen: $name', async (look) => {
  const page = await open(look);
  const folder = process.env.SCREENSHOTS; // for the README, and for the eye
  if (folder) await page.screenshot({ path: join(folder, `screenshot-${look.name}.png`) });
  expect(await violations(page)).toEqual([]);
  expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
  if (look.token === '') return;
  await page.getByRole('button', { name: 'Delete before-upgrade' }).click();
  expect(await violations(page)).toEqual([]);
});

test('all of it by keyboard alone, in the order in which it is read; each names its guest', async () => {
  const page = await open();
  const stops: string[] = [];
  for (let stop = await next(page); stop !== null; stop = await next(page)) stops.push(stop);
  expect(stops).toEqual([
    'checkbox "Nightly snapshots of a-guest-with-a-very-long-name" [checked]',
    'button "Take snapshot of a-guest-with-a-very-long-name"',
    'combobox "Freeze a-guest-with-a-very-long-name"',
    'button "Cancel: Deleting TIME, database"',
    ...['Download vda of TIME', 'Download vda of TIME'].map((name) => `button "${name}"`),
    'checkbox "Nightly snapshots of mail"',
    'button "Take snapshot of mail"',
    'combobox "Freeze mail"',
    'button "Dismiss: Nightly snapshot, mail"',
    ...['Download vda of TIME', 'Go back to TIME', 'Delete TIME'].map((name) => `button "${name}"`),
    'checkbox "Nightly snapshots of web" [checked]',
    'button "Take snapshot of web"',
    'combobox "Freeze web"',
    ...['Download vda of', 'Go back to', 'Delete'].map((what) => `button "${what} before-upgrade"`),
    ...['Download vda of TIME', 'Go back to TIME', 'Delete TIME'].map((name) => `button "${name}"`),
  ]);
});

test('a question keeps the focus inside, is answered by no key but its own, and gives the focus back', async () => {
  const page = await open();
  await page.getByRole('button', { name: 'Delete before-upgrade' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Delete before-upgrade?' });
  expect(await dialog.ariaSnapshot()).toContain('web goes on as it is');
  expect(await focused(page)).toBe('button "Keep"');
  expect(await next(page)).toBe('button "Delete"');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  expect(await focused(page)).toBe('button "Delete before-upgrade"');
});

/** What has the focus, as a screen reader says it; null where nothing has. */
async function focused(page: Page): Promise<string | null> {
  const focus = page.locator(':focus');
  if ((await focus.count()) === 0) return null;
  const [, said = ''] = /^- '?(\w+ "[^"]*"(?: \[\w+\])?)/.exec(await focus.ariaSnapshot()) ?? [];
  return said.replaceAll(/\d{8}T[\d.]+Z/g, 'TIME');
}

/** By Tab; and it can be seen where one is. */
async function next(page: Page): Promise<string | null> {
  await page.keyboard.press('Tab');
  const said = await focused(page);
  const ring = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
  if (said !== null) expect([said, ring]).toEqual([said, 'solid']);
  return said;
}

test('what happens is spoken, once', async () => {
  const page = await open();
  const said = page.getByRole('status').filter({ hasText: 'database' });
  const [operation] = board.operations.values();
  if (!operation) throw new Error('there is none');
  board.operations.set(operation.id, { ...operation, state: 'done', phase: null });
  await said.waitFor();
  expect(await said.textContent()).toBe('database: Deleting done');
});
