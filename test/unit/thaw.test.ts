// A thaw from its command to its proof, of what we froze or of what anybody did.
import { describe, expect, test } from '@jest/globals';
import { unquiesceStorage } from '../../lib/disk-snapshot/freeze/quiesce';
import { Domain, DomainState, ErrorNumber } from '../../lib/libvirt';
import { agentSays, libvirtSays, unresponsive } from './scripted-agent';
import { eachWithItsGuest, FREEZE, freeze, guest, outcome, pass, STATUS, THAW } from './scripted-freeze';

eachWithItsGuest();

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
