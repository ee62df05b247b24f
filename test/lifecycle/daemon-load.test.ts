// The daemon is stopped or killed under load, seen from a process of its own: it stays responsive, every promise settles by its
// limit, it closes, and it ends.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PrivateLibvirtd } from '../../lib/testing';
import { showFigures } from '../figures';
import { type Stage, stage } from './child';

let place: Stage;
const figures: object[] = [];
beforeAll(() => {
  place = stage();
});
afterAll(() => {
  showFigures('The daemon hangs or dies under load (ms)', figures);
  place.close();
});

test.each(['SIGSTOP', 'SIGKILL'])('%s', async (signal) => {
  await using daemon = await PrivateLibvirtd.start();
  const ended = await place.run(`
    const conn = await libvirt.connect('test+unix:///default?socket=${daemon.socket}', { keepAlive: false });
    const dom = await conn.domainLookupByName('test');
    const events = await conn.subscribe('lifecycle');
    events.on(() => {}).unref();
    let slowest = 0;
    const outcomes = {};
    const call = async () => {
      const start = performance.now();
      const outcome = await dom.getXMLDesc({ timeoutMs: 1000 }).then(() => 'answered', (error) => error.name);
      slowest = Math.max(slowest, performance.now() - start);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    };
    let loaded = true;
    const callers = Array.from({ length: 100 }, async () => { while (loaded) await call(); });
    await new Promise((resolve) => setTimeout(resolve, 300));
    let gap = 0;
    let last = performance.now();
    const ticks = setInterval(() => { gap = Math.max(gap, performance.now() - last); last = performance.now(); }, 1);
    slowest = 0;
    process.kill(${daemon.pid}, '${signal}');
    const inFlight = Array.from({ length: 100 }, call);
    loaded = false;
    await Promise.all([...callers, ...inFlight]);
    const start = performance.now();
    await conn.close();
    const close = performance.now() - start;
    clearInterval(ticks);
    require('node:fs').writeSync(1, JSON.stringify({ outcomes, slowest, gap, close, closed: await conn.closed }));`);
  daemon.resume();
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  const { outcomes, slowest, gap, close, closed } = JSON.parse(ended.stdout);
  figures.push({ signal, 'slowest call (limit 1000)': slowest, 'largest gap': gap, close, exit: ended.endedMs });
  expect(outcomes[signal === 'SIGSTOP' ? 'TimeoutError' : 'LibvirtError']).toBeGreaterThan(100);
  expect(Object.keys(outcomes).filter((name) => !['answered', 'TimeoutError', 'LibvirtError'].includes(name))).toEqual(
    [],
  );
  expect(signal === 'SIGSTOP' ? ['client'] : ['eof', 'error']).toContain(closed);
  expect(slowest).toBeLessThan(4000);
  expect(gap).toBeLessThan(2000);
  expect(close).toBeLessThan(8000); // 2 s on a quiet machine: a goodbye that nobody answers
  expect(ended.endedMs).toBeLessThan(5000);
});
