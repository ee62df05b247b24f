// A daemon that is stopped, and stays so: what is closed, given up or collected leaves no socket, thread or process, whatever it
// was reached by.
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PrivateLibvirtd } from '../../lib/testing';
import { showFigures } from '../figures';
import { authority, certificate, freePort } from './auth-daemon';
import { type Stage, stage } from './child';

let place: Stage;
let daemon: PrivateLibvirtd;
const uris: Record<string, string> = {};
const figures: object[] = [];
beforeAll(async () => {
  place = stage();
  const pki = join(place.directory, 'pki');
  await mkdir(pki);
  await authority(pki);
  await certificate(pki, 'server', ['subjectAltName=DNS:localhost,IP:127.0.0.1', 'extendedKeyUsage=serverAuth']);
  await certificate(pki, 'client', ['extendedKeyUsage=clientAuth']);
  const [tcp, tls] = [await freePort(), await freePort()];
  daemon = await PrivateLibvirtd.start({
    args: ['--listen'],
    configuration: [
      'listen_addr = "127.0.0.1"',
      ...['listen_tcp = 1', 'auth_tcp = "none"', `tcp_port = "${tcp}"`],
      ...['listen_tls = 1', 'auth_tls = "none"', `tls_port = "${tls}"`],
      ...[`ca_file = "${pki}/cacert.pem"`, `cert_file = "${pki}/servercert.pem"`, `key_file = "${pki}/serverkey.pem"`],
    ],
  });
  // In the place of ssh, for libvirt speaks to its standard input and output. It ends with its input, as virt-ssh-helper does.
  const ssh = join(place.directory, 'ssh');
  const bridge = `const socket = require('net').connect('${daemon.socket}');
    process.stdin.on('end', () => process.exit()).pipe(socket).pipe(process.stdout);`;
  await writeFile(ssh, `#!${process.execPath}\n${bridge}\n`);
  await chmod(ssh, 0o755);
  Object.assign(uris, {
    unix: `test+unix:///default?socket=${daemon.socket}`,
    tcp: `test+tcp://127.0.0.1:${tcp}/default`,
    tls: `test+tls://localhost:${tls}/default?pkipath=${pki}`,
    ssh: `test+ssh://localhost/default?proxy=netcat&command=${ssh}`,
  });
}, 60_000);
afterAll(async () => {
  showFigures('A stopped daemon (ms)', figures);
  await daemon?.close();
  await rm(join(place.directory, 'pki'), { recursive: true, force: true });
  place?.close();
});

const LOOK = `
  const { readdirSync, readFileSync, readlinkSync } = require('node:fs');
  const orNothing = (read) => { try { return read(); } catch { return ''; } };
  const threads = () => readdirSync('/proc/self/task').map((id) => orNothing(() => readFileSync('/proc/self/task/' + id + '/comm', 'utf8').trim()));
  /** What belongs to connections. The thread that closed is just ending when its promise resolves. */
  const look = () => ({
    sockets: readdirSync('/proc/self/fd').filter((fd) => orNothing(() => readlinkSync('/proc/self/fd/' + fd)).startsWith('socket:')).length - before,
    threads: threads().filter((name) => name.startsWith('virt-') && !['virt-events', 'virt-timer', 'virt-close'].includes(name)).length,
    children: readdirSync('/proc/self/task').flatMap((id) => orNothing(() => readFileSync('/proc/self/task/' + id + '/children', 'utf8')).split(' ').filter(Boolean)).length,
  });
  let before = 0;
  before = look().sockets;
  const isLeft = () => Object.values(look()).some((count) => count > 0);
  /** 4 s: less than any thread without work waits for some. */
  const gone = async () => {
    const start = performance.now();
    while (isLeft() && performance.now() - start < 4000) await new Promise((resolve) => setTimeout(resolve, 5));
    return look();
  };
  const settled = (promises) => Promise.all(promises.map((promise) => promise.then(() => 'answered', (error) => error.name)));
  const times = (count, make) => settled(Array.from({ length: count }, make));
  const say = (what) => require('node:fs').writeSync(1, JSON.stringify(what));`;
const NOTHING = { sockets: 0, threads: 0, children: 0 };

/** Runs it in the main thread or a worker, with the daemon stopped from `stop()` on. */
async function stopped(uri: string | undefined, worker: boolean, script: string) {
  const body = `${LOOK}
    const uri = ${JSON.stringify(uri)};
    const stop = () => process.kill(${daemon.pid}, 'SIGSTOP');
    ${script}`;
  try {
    const ended = await place.run(body, { worker });
    expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
    return JSON.parse(ended.stdout);
  } finally {
    daemon.resume();
  }
}

const TRANSPORTS = ['unix', 'tcp', 'tls', 'ssh'].flatMap(
  (transport) =>
    [
      [transport, 'main'],
      [transport, 'worker'],
    ] as const,
);
describe.each(TRANSPORTS)('%s, %s', (transport, where) => {
  test('close() cuts it off, and nothing is left', async () => {
    const { open, names, ms, left, reason } = await stopped(
      uris[transport],
      where === 'worker',
      `const conn = await libvirt.connect(uri, { keepAlive: false });
      const dom = await conn.domainLookupByName('test');
      const events = await conn.subscribe('lifecycle');
      const agent = (options) => dom.qemuAgentCommand('{"execute":"guest-ping"}', 1, options);
      await times(3, () => agent());
      const open = look();
      stop();
      const names = [...await times(10, () => dom.getXMLDesc({ timeoutMs: 200 })), ...await times(2, () => agent({ timeoutMs: 200 }))];
      const start = performance.now();
      await conn.close();
      const ms = performance.now() - start;
      say({ open, names, ms, left: await gone(), reason: await conn.closed });`,
    );
    figures.push({ transport, where, 'connections and agent links': open.sockets, 'close()': ms });
    expect(open.sockets).toBeGreaterThan(1); // those of the agent calls, too
    expect(new Set(names)).toEqual(new Set(['TimeoutError']));
    expect(left).toEqual(NOTHING);
    expect(reason).toBe('client');
    expect(ms).toBeGreaterThan(1000); // the host had time to answer
    expect(ms).toBeLessThan(8000); // 2 s on a quiet machine
  });
});

test('an open that was given up leaves nothing', async () => {
  const { names, left } = await stopped(
    uris.unix,
    false,
    `stop(); const names = await times(4, () => libvirt.connect(uri, { timeoutMs: 200 })); say({ names, left: await gone() });`,
  );
  expect(names).toEqual(Array(4).fill('TimeoutError'));
  expect(left).toEqual(NOTHING);
});
