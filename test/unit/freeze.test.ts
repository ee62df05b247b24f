// A freeze from its command to its thaw, on a guest whose agent does what the test says.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Freeze, freezeFilesystems } from '../../lib/disk-snapshot/freeze/freeze';
import { DomainState, ErrorDomain, ErrorNumber } from '../../lib/libvirt';
import { agentSays, libvirtSays, unresponsive } from './scripted-agent';
import { eachWithItsGuest, FREEZE, filesystems, freeze, guest, outcome, pass, STATUS, THAW } from './scripted-freeze';

eachWithItsGuest();

const elapse = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

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
  let loseGuard = () => {};
  const watch = {
    takeOver: () => void told.push('takeOver'),
    begin: () => void told.push('begin'),
    onLost: (tell: () => void) => {
      loseGuard = tell;
    },
    handOver: () => void told.push('handOver'),
    end: () => void told.push('end'),
  };
  beforeEach(() => {
    told.length = 0;
  });

  test('waits while we thaw, and may go when it is proven', async () => {
    const held = await freeze({ watch });
    await pass(1000);
    expect(told).toEqual(['begin']);
    await held.thaw();
    expect(told).toEqual(['begin', 'takeOver', 'end']);
  });

  test('waits from the end of the budget on, also where the freeze is still to be answered', async () => {
    guest.next(FREEZE, async (self) => {
      await elapse(1500);
      return self.freeze(['/', '/srv']);
    });
    const error = outcome(freeze({ maxFreezeMs: 1000, watch }));
    await pass(1100);
    expect(told).toEqual(['begin', 'takeOver']);
    await pass(1000);
    expect(told).toEqual(['begin', 'takeOver', 'end']);
    expect(await error).toMatchObject({ outcome: 'undone' });
  });

  test('ends: the freeze is over too, its holder is told, and the guest goes on', async () => {
    const held = await freeze({ watch });
    expect(held.signal.aborted).toBe(false);
    loseGuard();
    expect(held.signal.reason).toMatchObject({ message: expect.stringContaining('the guard') });
    expect(await held.thaw()).toMatchObject({ intact: false });
    expect(told).toEqual(['begin', 'takeOver', 'end']);
  });

  test('acts at once where we cannot', async () => {
    const held = await freeze({ watch });
    guest.next(THAW, () => {
      guest.getName = connectionEnded;
      throw libvirtSays(ErrorNumber.INTERNAL_ERROR, 'client socket is closed', ErrorDomain.RPC);
    });
    await expect(held.thaw()).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(told).toEqual(['begin', 'takeOver', 'handOver']);
    guest.thaw();
  });
});
