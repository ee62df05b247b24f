// Who may look, who may act, and what the page is told.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import type { DiskSnapshotSet } from 'libvirt-disksnapshot';
import { Actions } from '../src/actions.ts';
import { Board, guestKey } from '../src/board.ts';
import { feed } from '../src/feed.ts';
import { Metrics } from '../src/metrics.ts';
import { Operations } from '../src/operations.ts';
import { serve } from '../src/server.ts';

const GUEST = {
  ...{ host: 'a', id: 'u1', name: '<img src=x onerror=alert(1)>', state: 'running', nightly: false },
  ...{ nightlyByConfiguration: false, snapshots: [], problem: null },
};
const authorization = 'Bearer secret';
const path = '/api/hosts/a/guests/u1/snapshots';
const payload = { quiesce: 'never' };

const board = new Board();
const metrics = new Metrics(board);
const stop = new AbortController();
let server: FastifyInstance;
beforeAll(async () => {
  board.hosts.set('a', { name: 'a', state: 'down', problem: 'gone', retryAt: null });
  board.guests.set(guestKey(GUEST), GUEST);
  const actions = new Actions(new Map(), new Operations(board, metrics.onFailure), metrics.onSnapshot);
  const config = { token: 'secret', names: ['manager.example'] };
  server = await serve({ config, board, actions, metrics, signal: stop.signal });
});
afterAll(() => server.close());

test.each([undefined, 'Bearer wrong', 'Bearer ', 'Basic secret'])('%s does not act', async (given) => {
  const headers = given === undefined ? {} : { authorization: given };
  for (const method of ['POST', 'PUT', 'DELETE'] as const) {
    expect((await server.inject({ method, url: path, payload, headers })).statusCode).toBe(401);
  }
});

test('another site, or a name that is not ours, gets nothing', async () => {
  const other = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors', authorization };
  expect((await server.inject({ url: '/api/events', headers: other })).statusCode).toBe(403);
  expect((await server.inject({ method: 'POST', url: path, payload, headers: other })).statusCode).toBe(403);
  const named = async (host: string) => (await server.inject({ url: '/metrics', headers: { host } })).statusCode;
  expect(await named('rebound.example')).toBe(421);
  for (const host of ['localhost:80', '127.0.0.1', '[::1]:8080', 'manager.example'])
    expect(await named(host)).toBe(200);
});

test('the page loads no script but its own', async () => {
  const { headers, body } = await server.inject('/');
  expect(headers['content-security-policy']).toContain("script-src 'self'");
  expect(body).not.toMatch(/<script>|style=/);
  expect((await server.inject('/../src/main.ts')).statusCode).toBe(404);
});

test('wrong bodies, unknown guests and operations are refused', async () => {
  const act = async (url: string, body: object) =>
    (await server.inject({ method: 'POST', url, payload: body, headers: { authorization } })).statusCode;
  expect(await act(path, { quiesce: 'perhaps' })).toBe(400);
  expect(await act(path, {})).toBe(400);
  expect(await act('/api/hosts/a/guests/u2/snapshots', payload)).toBe(404);
  expect((await server.inject('/download/never-issued')).statusCode).toBe(404);
  const cancel = { method: 'DELETE', url: '/api/operations/99', headers: { authorization } } as const;
  expect((await server.inject(cancel)).statusCode).toBe(404);
});

test('a failure stands on the board and is counted', async () => {
  const act = await server.inject({ method: 'POST', url: path, payload, headers: { authorization } });
  expect(act.statusCode).toBe(202);
  expect(board.operations.get(act.json().operation)).toMatchObject({ state: 'failed', message: 'no host a' });
  const { body } = await server.inject('/metrics');
  expect(body).toContain('disk_snapshot_host_up{host="a"} 0');
  expect(body).toContain('disk_snapshot_failures_total{host="a",operation="snapshot",code="OTHER"} 1');
});

test('the metrics keep to the text format of Prometheus, whatever a guest is called', async () => {
  const hostile = { ...GUEST, id: 'u2', name: 'a"b\\c\nd', snapshots: [] };
  board.guests.set(guestKey(hostile), hostile);
  metrics.onSnapshot(GUEST, { frozenMs: 41 } as DiskSnapshotSet);
  const { body, headers } = await server.inject('/metrics');
  expect(headers['content-type']).toContain('text/plain; version=0.0.4');
  const label = String.raw`[a-z_]+="(?:[^"\\\n]|\\["\\n])*"`;
  const sample = new RegExp(`^([a-z_]+)(\\{${label}(?:,${label})*\\})? (\\+Inf|[\\d.]+(?:e[+-]?\\d+)?)$`);
  const kinds = new Map(
    [...body.matchAll(/^# TYPE (\S+) (counter|gauge|histogram)$/gm)].map(([, name, kind]) => [name, kind]),
  );
  for (const line of body.split('\n').filter((each) => each !== '' && !each.startsWith('#'))) {
    const [, name = ''] = sample.exec(line) ?? [];
    const family = name.replace(/_(bucket|sum|count)$/, '');
    expect([line, kinds.has(name) || kinds.get(family) === 'histogram']).toEqual([line, true]);
    expect(body).toContain(`# HELP ${kinds.has(name) ? name : family} `);
  }
  expect(body).toContain(String.raw`guest="a\"b\\c\nd"`);
  const buckets = [...body.matchAll(/_bucket\{le="([^"]+)",host="a"\} (\d+)/g)].map(([, , count]) => Number(count));
  expect(buckets).toEqual([...buckets].sort((a, b) => a - b));
  expect(body).toContain('disk_snapshot_frozen_milliseconds_bucket{le="+Inf",host="a"} 1');
  expect(body).toContain('disk_snapshot_frozen_milliseconds_sum{host="a"} 41');
  board.guests.delete(guestKey(hostile));
});

test('everything first, then what changes; of one entry the newest is enough', async () => {
  const events = feed(board, stop.signal);
  const next = async () => String((await events.next()).value);
  expect(await next()).toMatch(/^event: board\ndata: .*"key":"a\/u1".*\n\n$/);
  const change = next();
  for (const state of ['connecting', 'up'] as const)
    board.hosts.set('a', { name: 'a', state, problem: null, retryAt: null });
  board.guests.delete(guestKey(GUEST));
  const said = await change;
  expect(said.match(/"state"/g)).toHaveLength(1);
  expect(said).toContain('"state":"up"');
  expect(said).toContain('"key":"a/u1","value":null');
  const end = events.next();
  stop.abort();
  await events.return(undefined);
  await end;
});
