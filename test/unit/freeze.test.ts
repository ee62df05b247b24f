// A freeze from its command to the proof of its thaw, on a guest whose agent does what the test says. Time is the test's.
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type Freeze, type FreezeOptions, freezeFilesystems } from '../../lib/disk-snapshot/freeze/freeze';
import { unquiesceStorage } from '../../lib/disk-snapshot/freeze/quiesce';
import { Domain, DomainState, ErrorDomain, ErrorNumber } from '../../lib/libvirt';
import { agentSays, libvirtSays, ScriptedGuest, unresponsive } from './scripted-agent';

const FREEZE = 'guest-fsfreeze-freeze-list';
const THAW = 'guest-fsfreeze-thaw';
const STATUS = 'guest-fsfreeze-status';
const filesystems = [
  { mountpoint: '/', fsType: 'ext4', disks: ['vda'] },
  { mountpoint: '/srv', fsType: 'xfs', disks: ['vdb'] },
];

let guest: ScriptedGuest;
beforeEach(() => {
  jest.useFakeTimers();
  guest = new ScriptedGuest();
});
afterEach(() => {
  // Whatever a test did, nobody is left frozen, and nothing of ours is left running.
  expect([...guest.frozen]).toEqual([]);
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
const elapse = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const freeze = (options: Partial<FreezeOptions> = {}) =>
  freezeFilesystems(guest.domain, filesystems, { maxFreezeMs: 10_000, ...options });
/** The outcome of a promise, which may reject while time passes. */
const outcome = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

/** What every question to the handle gives, once its connection has ended. */
const connectionEnded = (): never => {
  throw libvirtSays(ErrorNumber.INVALID_CONN, 'the connection is closed');
};

describe('a freeze that goes well', () => {
  test('freezes what was asked for, holds, and thaws as much', async () => {
    const held = await freeze();
    expect(guest.sent[0]?.text).toContain('"mountpoints":["/","/srv"]');
    expect([...guest.frozen]).toEqual(['/', '/srv']);
    await pass(1234);
    expect(held.signal.aborted).toBe(false);
    expect(await held.thaw()).toEqual({ filesystems, frozenMs: 1234, intact: true });
    expect(held.signal.aborted).toBe(false);
  });

  test('nothing to freeze: no call, since an empty list means all', async () => {
    const held = await freezeFilesystems(guest.domain, [], { maxFreezeMs: 1000 });
    expect(await held.thaw()).toEqual({ filesystems: [], frozenMs: 0, intact: true });
    expect(guest.asked).toEqual([]);
  });

  test('thawing any number of times gives one result, and thaws once', async () => {
    const held = await freeze();
    const [first, second] = await Promise.all([held.thaw(), held.thaw()]);
    expect(second).toEqual(first);
    expect(await held.thaw()).toEqual(first);
    expect(guest.asked.filter((command) => command === THAW)).toHaveLength(1);
  });

  test('thaws go the urgent way', async () => {
    const held = await freeze();
    await held.thaw();
    expect(guest.sent.find(({ text }) => text.includes(THAW))?.options.urgent).toBe(true);
  });

  test('a pause of the guest meanwhile is none of our business', async () => {
    const held = await freeze();
    guest.state = DomainState.PAUSED;
    await pass(3000);
    expect(held.signal.aborted).toBe(false);
    guest.state = DomainState.RUNNING;
    expect(await held.thaw()).toMatchObject({ intact: true });
  });
});

describe('a freeze that does not come about leaves the guest thawed', () => {
  test('the hook fails', async () => {
    guest.next(FREEZE, () => {
      throw agentSays('agent command failed: fsfreeze hook has failed with status 1');
    });
    const error = await outcome(freeze());
    expect(error).toMatchObject({ code: 'QUIESCE_UNAVAILABLE', outcome: 'undone', guest: 'web1' });
    expect(guest.asked).toEqual([FREEZE, THAW, STATUS]);
  });

  test('it freezes fewer than asked, or more', async () => {
    for (const mountpoints of [['/'], ['/', '/srv', '/else']]) {
      guest.next(FREEZE, (self) => self.freeze(mountpoints));
      const error = await outcome(freeze());
      expect(error).toMatchObject({ code: 'QUIESCE_UNAVAILABLE', outcome: 'undone' });
      expect((error as Error).message).toContain(`froze ${mountpoints.length} of 2 file systems (/, /srv)`);
      expect(guest.frozen.size).toBe(0);
    }
  });

  test('it fails half-way, with one of them frozen', async () => {
    guest.next(FREEZE, (self) => {
      self.freeze(['/']);
      throw agentSays('failed to freeze /srv: Input/output error');
    });
    expect(await outcome(freeze())).toMatchObject({ code: 'QUIESCE_UNAVAILABLE', outcome: 'undone' });
  });

  test('the answer is nonsense', async () => {
    guest.next(FREEZE, (self) => {
      self.freeze(['/', '/srv']);
      return 'many';
    });
    expect(await outcome(freeze())).toMatchObject({ code: 'QUIESCE_UNAVAILABLE', outcome: 'undone' });
  });

  test('the agent dies in it, and comes back after a while', async () => {
    guest
      .next(FREEZE, (self) => {
        self.freeze(['/', '/srv']);
        throw unresponsive();
      })
      .next(THAW, () => {
        throw unresponsive();
      });
    const error = outcome(freeze());
    await pass(5000);
    expect(await error).toMatchObject({ code: 'QUIESCE_UNAVAILABLE', outcome: 'undone' });
  });

  test('the guest was paused in between: the command never ran, and nothing is thawed', async () => {
    guest.state = DomainState.PAUSED;
    expect(await outcome(freeze())).toMatchObject({ code: 'QUIESCE_UNAVAILABLE', outcome: 'unchanged' });
    expect(guest.asked).toEqual([FREEZE]);
  });

  test('somebody else froze it in between: told, and left frozen', async () => {
    guest.freeze(['/']);
    expect(await outcome(freeze())).toMatchObject({ code: 'ALREADY_FROZEN', outcome: 'unchanged' });
    expect(guest.asked).not.toContain(THAW);
    expect(guest.thaw()).toBe(1);
  });

  test('the connection ends: nobody knows', async () => {
    const lost = () => {
      guest.getName = connectionEnded;
      throw libvirtSays(ErrorNumber.INTERNAL_ERROR, 'client socket is closed', ErrorDomain.RPC);
    };
    guest.next(FREEZE, lost).next(THAW, lost);
    expect(await outcome(freeze())).toMatchObject({ code: 'CONNECTION_LOST', outcome: 'unknown' });
  });
});

describe('a freeze that takes too long', () => {
  test('it ends late, frozen: thawed at once, and over budget', async () => {
    guest.next(FREEZE, async (self) => {
      await elapse(1500);
      return self.freeze(['/', '/srv']);
    });
    const error = outcome(freeze({ maxFreezeMs: 1000 }));
    await pass(2000);
    expect(await error).toMatchObject({ code: 'FREEZE_BUDGET_EXCEEDED', outcome: 'undone' });
  });

  test('libvirt gives up on a hung agent, which wakes later and freezes: thawed then', async () => {
    guest
      .next(FREEZE, async (self) => {
        await elapse(2000);
        void elapse(4000).then(() => self.freeze(['/', '/srv'])); // when the agent wakes, whoever asks it meanwhile
        throw unresponsive();
      })
      .next(THAW, async () => {
        await elapse(5000);
        throw unresponsive();
      });
    const error = outcome(freeze({ maxFreezeMs: 1000 }));
    await pass(7100);
    expect(await error).toMatchObject({ code: 'FREEZE_BUDGET_EXCEEDED', outcome: 'undone' });
  });

  test('it still waited for its turn when we gave up: no thaw passes it, and what it freezes is thawed', async () => {
    const other = guest.qemuAgentCommand('{"execute":"guest-exec"}', 1).catch(() => undefined);
    guest.next('guest-exec', () => elapse(5000));
    const error = outcome(freeze({ maxFreezeMs: 1000 }));
    await pass(1100);
    expect(guest.sent).toHaveLength(2); // theirs and our freeze
    await pass(5000);
    await other;
    expect(guest.asked).toEqual(['guest-exec', FREEZE, THAW, STATUS]);
    expect(await error).toMatchObject({ code: 'FREEZE_BUDGET_EXCEEDED', outcome: 'undone' });
  });

  test('the agent wakes after our patience: the caller knows that it is not known, and the guest is thawed all the same', async () => {
    guest.next(FREEZE, async () => {
      await elapse(2000);
      throw unresponsive();
    });
    for (let i = 0; i < 8; i++) {
      guest.next(THAW, async (self) => {
        await elapse(5000);
        if (i === 7) self.freeze(['/', '/srv']);
        throw unresponsive();
      });
    }
    const error = outcome(freeze({ maxFreezeMs: 1000 }));
    await pass(21_500);
    expect(await error).toMatchObject({ code: 'THAW_FAILED', outcome: 'unknown' });
    await pass(40_000);
    expect(guest.asked.at(-1)).toBe(STATUS);
  });

  test('an abort: the reason, once the guest is thawed', async () => {
    const abort = new AbortController();
    guest.next(FREEZE, async (self) => {
      await elapse(500);
      return self.freeze(['/', '/srv']);
    });
    const error = outcome(freeze({ signal: abort.signal }));
    await pass(100);
    abort.abort(new Error('changed my mind'));
    await pass(500);
    expect(await error).toBe(abort.signal.reason);
  });

  test('aborted before: nothing is sent', async () => {
    const signal = AbortSignal.abort(new Error('no'));
    expect(await outcome(freeze({ signal }))).toBe(signal.reason);
    expect(guest.asked).toEqual([]);
  });
});

describe('while it holds', () => {
  const ended = async (held: Freeze) => {
    expect(held.signal.aborted).toBe(true);
    const thawed = await held.thaw();
    expect(thawed.intact).toBe(false);
    return { reason: held.signal.reason as { code: string; message: string }, thawed };
  };

  test('the lease ends: thawed at that moment', async () => {
    const held = await freeze({ maxFreezeMs: 3000 });
    await pass(2999);
    expect(guest.frozen.size).toBe(2);
    await pass(1);
    expect(guest.frozen.size).toBe(0);
    const { reason, thawed } = await ended(held);
    expect(reason.code).toBe('FREEZE_BUDGET_EXCEEDED');
    expect(thawed.frozenMs).toBe(3000);
  });

  test('the time of freezing counts for the lease', async () => {
    guest.next(FREEZE, async (self) => {
      await elapse(800);
      return self.freeze(['/', '/srv']);
    });
    const freezing = freeze({ maxFreezeMs: 1000 });
    await pass(800);
    const held = await freezing;
    await pass(200);
    expect((await ended(held)).thawed.frozenMs).toBe(1000);
  });

  test('somebody else thaws it', async () => {
    const held = await freeze();
    guest.thaw();
    await pass(500);
    expect((await ended(held)).reason.message).toContain('somebody else');
  });

  test('the agent dies: thawed as soon as it is back', async () => {
    const held = await freeze();
    guest
      .next(STATUS, () => {
        throw unresponsive();
      })
      .next(THAW, () => {
        throw unresponsive();
      });
    await pass(500);
    expect(held.signal.aborted).toBe(true);
    expect(guest.frozen.size).toBe(2);
    await pass(1000);
    expect(guest.frozen.size).toBe(0);
    await ended(held);
  });

  test('the guest ends: nothing of it is frozen', async () => {
    const held = await freeze();
    guest.state = DomainState.SHUTOFF;
    guest.thaw();
    await pass(500);
    expect((await ended(held)).reason.message).toContain('it is off');
  });

  test('the connection ends', async () => {
    const held = await freeze();
    const lost = () => {
      guest.getName = connectionEnded;
      throw libvirtSays(ErrorNumber.INTERNAL_ERROR, 'client socket is closed', ErrorDomain.RPC);
    };
    guest.next(STATUS, lost).next(THAW, lost);
    await pass(500);
    expect(held.signal.reason).toMatchObject({ code: 'CONNECTION_LOST' });
    await expect(held.thaw()).rejects.toMatchObject({ code: 'CONNECTION_LOST', outcome: 'unknown' });
    guest.thaw();
  });
});

describe('who watches over the guest', () => {
  const told: string[] = [];
  const watch = {
    takeOver: () => void told.push('takeOver'),
    handOver: () => void told.push('handOver'),
    end: () => void told.push('end'),
  };
  beforeEach(() => {
    told.length = 0;
  });

  test('waits while we thaw, and may go when it is proven', async () => {
    const held = await freeze({ watch });
    await pass(1000);
    expect(told).toEqual([]);
    await held.thaw();
    expect(told).toEqual(['takeOver', 'end']);
  });

  test('waits from the end of the budget on, also where the freeze is still to be answered', async () => {
    guest.next(FREEZE, async (self) => {
      await elapse(1500);
      return self.freeze(['/', '/srv']);
    });
    const error = outcome(freeze({ maxFreezeMs: 1000, watch }));
    await pass(1100);
    expect(told).toEqual(['takeOver']);
    await pass(1000);
    expect(told).toEqual(['takeOver', 'end']);
    expect(await error).toMatchObject({ outcome: 'undone' });
  });

  test('acts at once where we cannot', async () => {
    const held = await freeze({ watch });
    guest.next(THAW, () => {
      guest.getName = connectionEnded;
      throw libvirtSays(ErrorNumber.INTERNAL_ERROR, 'client socket is closed', ErrorDomain.RPC);
    });
    await expect(held.thaw()).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(told).toEqual(['takeOver', 'handOver']);
    guest.thaw();
  });
});

describe('thawing', () => {
  test('a count below the freeze: something thawed by itself', async () => {
    const held = await freeze();
    guest.frozen.delete('/srv');
    expect(await held.thaw()).toMatchObject({ intact: false });
  });

  test('an answer that got lost: thawed, but not known to have been whole', async () => {
    const held = await freeze();
    guest.next(THAW, (self) => {
      self.thaw();
      throw unresponsive();
    });
    const thawed = held.thaw();
    await pass(100);
    expect(await thawed).toMatchObject({ intact: false });
  });

  test('an error of the thaw hook, which runs when all is thawed: thawed, with no count to prove more', async () => {
    const held = await freeze();
    guest.next(THAW, (self) => {
      self.thaw();
      throw agentSays('fsfreeze hook has failed with status 3');
    });
    expect(await held.thaw()).toMatchObject({ intact: false });
    expect(guest.asked).toEqual([FREEZE, THAW, STATUS]);
  });

  test('a call that could not be made takes nothing from the proof', async () => {
    const held = await freeze();
    guest.next(THAW, () => {
      throw libvirtSays(ErrorNumber.OPERATION_TIMEOUT, 'cannot acquire state change lock');
    });
    const thawed = held.thaw();
    await pass(100);
    expect(await thawed).toMatchObject({ intact: true });
  });

  test('the agent says thawed, and then that it is still frozen: again', async () => {
    const held = await freeze();
    guest.next(THAW, () => 2);
    const thawed = held.thaw();
    await pass(100);
    await thawed;
    expect(guest.asked.filter((command) => command === THAW)).toHaveLength(2);
  });

  test('a paused guest is thawed when it is resumed', async () => {
    const held = await freeze();
    guest.state = DomainState.PAUSED;
    const thawed = held.thaw();
    await pass(2000);
    guest.state = DomainState.RUNNING;
    await pass(1000);
    expect(await thawed).toMatchObject({ intact: true });
  });

  test('patience ends, thawing does not: whoever asks again gets the result', async () => {
    const held = await freeze({ maxFreezeMs: 100_000 });
    guest.state = DomainState.PAUSED;
    const first = outcome(held.thaw());
    await pass(20_000);
    expect(await first).toMatchObject({ code: 'THAW_FAILED', outcome: 'unknown' });
    guest.state = DomainState.RUNNING;
    await pass(1000);
    expect(guest.frozen.size).toBe(0);
    expect(await held.thaw()).toMatchObject({ intact: true });
  });

  test('an abort ends the waiting, not the thawing', async () => {
    const held = await freeze();
    guest.state = DomainState.PAUSED;
    const abort = new AbortController();
    const thawed = outcome(held.thaw({ signal: abort.signal }));
    abort.abort(new Error('enough'));
    expect(await thawed).toBe(abort.signal.reason);
    guest.state = DomainState.RUNNING;
    await pass(1000);
    expect(guest.frozen.size).toBe(0);
  });
});

describe('unquiesceStorage', () => {
  // A Domain by its brand; what it is asked goes to the scripted guest.
  const domain = () => Object.assign(Object.create(Domain.prototype) as Domain, guest.domain);

  test('thaws what anybody froze, and says how much', async () => {
    guest.freeze(['/', '/srv']);
    expect(await unquiesceStorage(domain())).toEqual({ thawed: 2 });
    expect(await unquiesceStorage(domain())).toEqual({ thawed: 0 });
  });

  test('a guest that is off has nothing frozen', async () => {
    guest.state = DomainState.SHUTOFF;
    expect(await unquiesceStorage(domain())).toEqual({ thawed: 0 });
  });

  test('nobody to ask: said at once', async () => {
    guest.next(THAW, () => {
      throw libvirtSays(ErrorNumber.ARGUMENT_UNSUPPORTED, 'QEMU guest agent is not configured');
    });
    const error = await outcome(unquiesceStorage(domain()));
    expect(error).toMatchObject({ code: 'QUIESCE_UNAVAILABLE', outcome: 'unchanged' });
  });

  test('no agent for too long: told, and not worked on behind the back', async () => {
    guest.state = DomainState.PAUSED;
    const error = outcome(unquiesceStorage(domain()));
    await pass(20_000);
    expect(await error).toMatchObject({ code: 'THAW_FAILED', outcome: 'unknown' });
    const asked = guest.asked.length;
    await pass(10_000);
    expect(guest.asked.length).toBeLessThanOrEqual(asked + 1);
  });

  test('wrong JavaScript rejects, and does not throw', async () => {
    await expect(unquiesceStorage({} as Domain)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    await expect(unquiesceStorage(domain(), { timeoutMs: 0 })).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  });
});
