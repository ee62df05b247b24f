// The page in a real browser, over a real daemon and a real guest: what is clicked happens, and what happens is shown.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import {
  ConnectDomainEventAgentLifecycleState,
  connect,
  listDiskSnapshots,
  recoverDiskSnapshots,
} from 'libvirt-disksnapshot';
import { PrivateLibvirtd, TestGuest, verifyConsistency } from 'libvirt-disksnapshot/testing';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { type Manager, startManager } from '../src/manager.ts';

jest.setTimeout(120_000);

/** A name that would be markup, if anything let it. */
const NAME = 'web <i>1';
const TOKEN = 'a-token';
/** As Debian installs it: nothing is downloaded. */
const CHROMIUM = '/usr/bin/chromium';

let daemon: PrivateLibvirtd;
let guest: TestGuest;
let browser: Browser;
let manager: Manager | undefined;
/** One who may act, and one who may look. */
let actor: Page;
let watcher: Page;

beforeAll(async () => {
  daemon = await PrivateLibvirtd.start();
  const connection = await daemon.connect();
  [guest, browser] = await Promise.all([
    TestGuest.boot({ connection, name: NAME, disks: 2, persistent: true, restorable: false }),
    chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] }),
  ]);
  await begin('0 2 * * *');
});

afterAll(async () => {
  await manager?.stop();
  await browser?.close();
  await guest?.close().catch(() => {}); // its connection was lost with the daemon
  await daemon?.close();
});

async function begin(schedule: string): Promise<void> {
  await manager?.stop();
  const hosts = [
    { name: 'lab', uri: daemon.uri, nightly: [] },
    { name: 'spare', uri: 'test:///default', nightly: [] },
  ];
  const listen = { host: '127.0.0.1', port: 0 };
  manager = await startManager({ listen, names: [], token: TOKEN, nightly: { schedule, keep: 1 }, hosts });
  [actor, watcher] = [await open(`${manager.url}/#${TOKEN}`), await open(manager.url)];
  await card(actor).waitFor();
}

async function open(url: string): Promise<Page> {
  const context = await browser.newContext({ acceptDownloads: true });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on('pageerror', (error) => {
    throw error;
  });
  await page.goto(url);
  return page;
}

const card = (page: Page): Locator => page.getByRole('article', { name: NAME });
const line = (page: Page): Locator => card(page).getByRole('listitem');
const guestState = (page: Page, state: string): Promise<void> =>
  card(page)
    .locator('.pill', { hasText: new RegExp(`^${state}$`) })
    .waitFor();
const hostState = (page: Page, host: string, state: string): Promise<void> =>
  page
    .getByRole('region', { name: `Host ${host}` })
    .locator('h2 .pill', { hasText: new RegExp(`^${state}$`) })
    .waitFor();
const gone = (locator: Locator): Promise<void> => locator.waitFor({ state: 'detached' });

/** Asked of libvirt by another than the service. */
async function snapshots() {
  await using other = await connect(daemon.uri);
  return await listDiskSnapshots(await other.domainLookupByName(NAME));
}

async function answer(button: string): Promise<void> {
  await actor.getByRole('dialog').getByRole('button', { name: button }).click();
}

test('a snapshot by a click appears in both tabs', async () => {
  expect(await watcher.getByRole('button', { name: `Take snapshot of ${NAME}` }).isDisabled()).toBe(true);
  await card(actor).getByRole('combobox').selectOption('required');
  await card(actor).getByRole('button', { name: 'Take snapshot' }).click();
  await card(actor).getByRole('progressbar').waitFor();
  for (const page of [actor, watcher]) await line(page).getByText('File systems at rest').waitFor();
  expect(await actor.locator('i').count()).toBe(0);
  const [made] = await snapshots();
  expect(made).toMatchObject({ consistency: 'filesystem', disks: [{ disk: 'vda' }, { disk: 'vdb' }] });
  expect((await guest.domain.getXMLDesc()).match(/<backingStore type='file'/g)).toHaveLength(2);
});

test('a download is the disk as the guest saw it', async () => {
  const waiting = actor.waitForEvent('download');
  await line(actor).getByRole('button', { name: 'Download vdb' }).click();
  const download = await waiting;
  expect(download.suggestedFilename()).toMatch(/^web_i_1-.*-vdb\.raw$/);
  const file = await download.path();
  expect((await stat(file)).size).toBe((await snapshots())[0]?.disks[1]?.virtualSize);
  expect(await verifyConsistency(file)).toMatchObject({ clean: true });
});

test('cancelled by a click while the agent hangs: all is as it was', async () => {
  const before = await snapshots();
  const later = '(sleep 0.5; killall -STOP qemu-ga; sleep 10; killall -CONT qemu-ga) </dev/null >/dev/null 2>&1 &';
  await guest.exec(['sh', '-c', later]);
  const answers = () =>
    guest.domain.qemuAgentCommand('{"execute":"guest-ping"}', 1).then(
      () => true,
      () => false,
    );
  while (await answers());
  await card(actor).getByRole('button', { name: 'Take snapshot' }).click();
  await card(actor).getByRole('button', { name: 'Cancel' }).click();
  await card(actor).getByText('cancelled: all is as it was').waitFor();
  await card(actor).getByRole('button', { name: 'Dismiss' }).click();
  expect(await snapshots()).toEqual(before);
  while (!(await answers()));
  const status = JSON.parse(await guest.domain.qemuAgentCommand('{"execute":"guest-fsfreeze-status"}', 10));
  expect(status.return).toBe('thawed');
});

test('back to a snapshot by a click, after a question: the guest is started from it', async () => {
  await guest.exec(['sh', '-c', 'echo later >/mnt/a/later; sync']);
  const { domain } = guest;
  await using changes = await domain.connection.subscribe('agent-lifecycle', { domain });
  await line(actor).getByRole('button', { name: 'Go back' }).click();
  await answer('Stop and go back');
  for await (const { state } of changes) if (state === ConnectDomainEventAgentLifecycleState.CONNECTED) break;
  expect((await guest.exec(['ls', '/mnt/a'])).stdout).not.toContain('later');
  expect(await snapshots()).toHaveLength(1);
});

test('deleted by a click, after a question', async () => {
  await line(actor).getByRole('button', { name: 'Delete' }).click();
  await answer('Keep');
  expect(await snapshots()).toHaveLength(1);
  await line(actor).getByRole('button', { name: 'Delete' }).click();
  await answer('Delete');
  for (const page of [actor, watcher]) await gone(line(page));
  expect(await snapshots()).toEqual([]);
  expect((await daemon.virsh('domblklist', NAME)).stdout).toContain(guest.image('vda'));
  expect(await guest.domain.getXMLDesc()).not.toContain("<backingStore type='file'");
});

test('who asks for nightly snapshots gets one; the next night the oldest goes', async () => {
  const nightly = (page: Page) => card(page).getByRole('checkbox', { name: 'Nightly' });
  await nightly(actor).check();
  await line(watcher).locator('.tag:visible').waitFor();
  expect(await nightly(watcher).isChecked()).toBe(true);
  const [first] = await snapshots();

  const soon = new Date(Date.now() + 3000);
  await begin(`${soon.getSeconds()} ${soon.getMinutes()} ${soon.getHours()} * * *`);
  await line(watcher)
    .filter({ hasNotText: String(first?.name) })
    .waitFor();
  await gone(line(watcher).getByText(String(first?.name)));
  const left = await snapshots();
  expect(left).toHaveLength(1);
  expect(left[0]).toMatchObject({ consistency: 'filesystem' });
  expect(left[0]?.name).not.toBe(first?.name);
});

test('SIGTERM in the middle of a snapshot: the end is 0, and nothing is half done', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'manager-'));
  try {
    const config = join(folder, 'config.json');
    const hosts = [{ name: 'lab', uri: daemon.uri }];
    const nightly = { schedule: '0 0 29 2 *' };
    await writeFile(config, JSON.stringify({ listen: { port: 0 }, token: TOKEN, nightly, hosts }));
    const service = spawn(process.execPath, [join(__dirname, '..', 'dist', 'main.js'), config], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    const url = await new Promise<string>((resolve) => {
      service.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        const listening = /listening: (\S+)/.exec(said)?.[1];
        if (listening && said.includes('connected, 1 guests')) resolve(listening);
      });
    });
    const page = await open(url);
    await card(page).getByRole('button', { name: 'Take snapshot' }).click();
    await card(page).getByRole('progressbar').waitFor();
    service.kill('SIGTERM');
    expect(await once(service, 'exit')).toEqual([0, null]);
  } finally {
    await rm(folder, { recursive: true });
  }
  const recovery = await recoverDiskSnapshots(guest.domain);
  expect(recovery).toEqual({ finished: [], undone: [], thawed: false, resumed: false });
});

test('a daemon that dies is told of, and found again; the other host goes on', async () => {
  await hostState(watcher, 'lab', 'connected');
  await daemon.kill();
  await hostState(watcher, 'lab', 'not connected');
  await watcher.getByText(/Not connected: .*Next attempt at/).waitFor();
  expect(await card(actor).getByRole('button', { name: 'Take snapshot' }).isDisabled()).toBe(true);
  await hostState(watcher, 'spare', 'connected');
  expect(await actor.getByRole('button', { name: 'Take snapshot of test' }).isEnabled()).toBe(true);
  await daemon.restart();
  await hostState(watcher, 'lab', 'connected');
  await guestState(watcher, 'running');
});

test('a guest that somebody else stops and starts', async () => {
  await daemon.virsh('destroy', NAME);
  await guestState(watcher, 'off');
  await daemon.virsh('start', NAME);
  await guestState(watcher, 'running');
  await daemon.virsh('destroy', NAME);
});
