import { describe, expect, test } from '@jest/globals';
import { drawTimeline, recordTimeline } from '../../lib/picture';
import { pictureOfTimeline } from '../../lib/picture/timeline-model';
import { plan, timeline } from '../picture-samples';

describe('a time line', () => {
  test('brackets the steps for which the guest stands still, and says for how long', () => {
    expect(drawTimeline(timeline, { format: 'text' })).toMatchSnapshot();
  });

  test('of a plan shows its steps in order', () => {
    expect(drawTimeline(plan, { format: 'text' })).toMatchSnapshot();
  });

  test('has each window as long as measured, and begun before the first cut', () => {
    const slowThaw = timeline.steps.map((step) => ({
      ...step,
      startMs: step.phase === 'verify' ? 571 : step.startMs,
      endMs: step.phase === 'thaw' ? 571 : step.phase === 'verify' ? 614 : step.endMs,
    }));
    for (const report of [timeline, { ...timeline, steps: slowThaw }]) {
      const { bars, windows } = pictureOfTimeline(report);
      const whole = report.steps.at(-1)?.endMs ?? 0;
      const cut = bars.find((bar) => bar.kind === 'cut')?.from ?? 0;
      expect(windows.map(({ kind }) => kind)).toEqual(['frozen', 'paused']);
      for (const { kind, from, to } of windows) {
        expect((to - from) * whole).toBeCloseTo(kind === 'frozen' ? report.frozenMs : report.pausedMs);
        expect(from).toBeLessThanOrEqual(cut);
      }
    }
  });

  test('a refused plan says why', () => {
    const problems = [{ code: 'DISK_BUSY' as const, message: 'vda has a block job' }];
    const text = drawTimeline({ ...plan, ok: false, problems }, { format: 'text' });
    expect(text).toContain('refused: vda has a block job');
  });

  test('is recorded from progress: a step lasts until the next is told', () => {
    let clock = 100;
    const recorder = recordTimeline(() => clock);
    const tell = (at: number, phase: 'prepare' | 'cut', disk: string) => {
      clock = at;
      recorder.onProgress({ phase, disk, done: 0, total: 0 });
    };
    tell(100, 'prepare', 'vda');
    tell(105, 'prepare', 'vda');
    tell(110, 'prepare', 'vdb');
    tell(130, 'cut', 'vda');
    clock = 135;
    const set = { guest: 'web1', name: 'n', consistency: 'crash', frozenMs: 0, pausedMs: 0, disks: [] } as never;
    expect(recorder.finish(set).steps).toEqual([
      { phase: 'prepare', disk: 'vda', startMs: 0, endMs: 10 },
      { phase: 'prepare', disk: 'vdb', startMs: 10, endMs: 30 },
      { phase: 'cut', disk: 'vda', startMs: 30, endMs: 35 },
    ]);
  });
});
