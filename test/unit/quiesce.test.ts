// What is asked before a freeze, and what a held quiesce is good for.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { heldFreeze, isQuiescedStorage, prepareFreeze, quiesceStorage } from '../../lib/disk-snapshot/freeze/quiesce';
import type { QuiescedStorage } from '../../lib/disk-snapshot/types';
import { Domain, DomainState, ErrorNumber } from '../../lib/libvirt';
import { raw } from '../../lib/libvirt/handle';
import { readDomain } from '../../lib/xml/domain';
import { agentSays, libvirtSays, ScriptedGuest, unresponsive } from './scripted-agent';

const disk = (target: string, slot: number) => `<disk type='file' device='disk'><source file='/${target}.qcow2'/>
  <target dev='${target}' bus='virtio'/><address type='pci' domain='0' bus='0' slot='${slot}' function='0'/></disk>`;
const xml = (agent = "state='connected'") => `<domain type='qemu' id='1'><name>web1</name><devices>
  ${disk('vda', 1)}${disk('vdb', 2)}
  <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0' ${agent}/></channel></devices></domain>`;
const mount = (name: string, mountpoint: string, slot: number, type = 'ext4') => ({
  name,
  mountpoint,
  type,
  disk: [{ bus: 0, target: 0, unit: 0, 'pci-controller': { domain: 0, bus: 0, slot, function: 0 } }],
});
const NEEDED = ['guest-fsfreeze-status', 'guest-fsfreeze-freeze-list', 'guest-fsfreeze-thaw', 'guest-get-fsinfo'];
const commands = (disabled: string[] = []) => ({
  supported_commands: NEEDED.map((name) => ({ name, enabled: !disabled.includes(name) })),
});

let guest: ScriptedGuest;
let mounts: unknown[];
beforeEach(() => {
  guest = new ScriptedGuest();
  mounts = [mount('vdb', '/srv', 2), mount('vda1', '/boot/efi', 1, 'vfat'), mount('vda2', '/', 1)];
  guest.next('guest-info', () => commands()).next('guest-get-fsinfo', () => mounts);
});

/** A Domain by its brand; what it is asked goes to the scripted guest. */
function domainOf(uuid = 'a', live = xml()): Domain {
  const members = { getUUIDString: () => uuid, getXMLDesc: async () => live };
  const domain = Object.assign(Object.create(Domain.prototype) as Domain, guest.domain, members);
  return Object.defineProperty(domain, raw, { value: null }); // nothing of libvirt's stands behind it
}
const prepare = (targets: readonly string[] | 'all' = 'all', live = xml()) =>
  prepareFreeze(domainOf('a', live), readDomain(live), targets);

describe('before a freeze', () => {
  test('the file systems on the wanted disks are known, and nothing has changed', async () => {
    const prepared = await prepare(['vda']);
    expect(prepared.filesystems).toEqual([{ mountpoint: '/', fsType: 'ext4', disks: ['vda'] }]);
    expect(prepared.unfreezable).toEqual([{ mountpoint: '/boot/efi', fsType: 'vfat', disks: ['vda'] }]);
    expect(guest.asked).toEqual(['guest-info', 'guest-fsfreeze-status', 'guest-get-fsinfo']);
  });

  test('every question has its limit', async () => {
    await prepare();
    for (const { seconds, options } of guest.sent) {
      expect(seconds).toBeLessThanOrEqual(15);
      expect(options.timeoutMs).toBeLessThanOrEqual(15_000);
    }
  });

  test('a file system that the agent cannot reach, with what covers it', async () => {
    mounts.unshift(mount('vdc', '/srv', 3));
    await expect(prepare(['vdb'])).rejects.toThrow('of vdb on /srv is covered by another mount');
  });

  test('a guest that is frozen already is not taken for ours', async () => {
    guest.freeze(['/']);
    await expect(prepare()).rejects.toMatchObject({ code: 'ALREADY_FROZEN', outcome: 'unchanged', guest: 'web1' });
    expect(guest.frozen.size).toBe(1);
  });

  test.each(NEEDED)('an agent that may not run %s', async (command) => {
    guest = new ScriptedGuest().next('guest-info', () => commands([command]));
    const error = await prepare().catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'QUIESCE_UNAVAILABLE', outcome: 'unchanged' });
    expect((error as Error).message).toContain(command);
    expect((error as Error).message).toContain('Allow them in the configuration');
  });

  const failing = (error: unknown) =>
    new ScriptedGuest().next('guest-info', () => {
      throw error;
    });
  test.each([
    ['no channel', libvirtSays(ErrorNumber.ARGUMENT_UNSUPPORTED), xml(), 'Add <channel'],
    ['no agent', unresponsive(), xml("state='disconnected'"), 'no agent is connected'],
    ['an agent that hangs', new DOMException('in vain', 'TimeoutError'), xml(), 'it hangs', 'no answer in time'],
    ['another call', libvirtSays(ErrorNumber.OPERATION_TIMEOUT), xml(), 'has not ended'],
    ['a readonly connection', libvirtSays(ErrorNumber.OPERATION_DENIED), xml(), 'Connect without readonly'],
    ['an error of its own', agentSays('out of memory'), xml(), 'Look at its log'],
  ])('%s: said with the way out', async (_what, error, live, advice, words = error.message) => {
    guest = failing(error);
    const rejected = await prepare('all', live).catch((e: unknown) => e);
    expect(rejected).toMatchObject({ code: 'QUIESCE_UNAVAILABLE', outcome: 'unchanged', guest: 'web1' });
    expect((rejected as Error).message).toContain(advice);
    expect((rejected as Error).message).toContain(words);
  });

  test('an agent that libvirtd has not found again, just after its restart, is waited for', async () => {
    const absent = () => {
      throw unresponsive();
    };
    guest = new ScriptedGuest().next('guest-info', absent).next('guest-info', absent);
    guest.next('guest-info', () => commands()).next('guest-get-fsinfo', () => mounts);
    expect((await prepare(['vdb'])).filesystems).toHaveLength(1);
  });

  test.each([
    [DomainState.PAUSED, 'it is paused'],
    [DomainState.SHUTOFF, 'it is off'],
  ])('in state %i: %s', async (state, words) => {
    guest = failing(libvirtSays(ErrorNumber.OPERATION_INVALID, 'domain is not running'));
    guest.state = state;
    await expect(prepare()).rejects.toMatchObject({ code: 'QUIESCE_UNAVAILABLE' });
    guest.next('guest-info', () => {
      throw libvirtSays(ErrorNumber.OPERATION_INVALID, 'domain is not running');
    });
    await expect(prepare()).rejects.toThrow(words);
  });

  test('a connection that ended is no matter of the guest', async () => {
    guest = failing(libvirtSays(ErrorNumber.INVALID_CONN));
    await expect(prepare()).rejects.toMatchObject({ code: 'CONNECTION_LOST', outcome: 'unchanged' });
  });
});

describe('a held quiesce', () => {
  let held: QuiescedStorage;
  let domain: Domain;
  const hold = async (disks: 'all' | string[]) => {
    domain = domainOf();
    held = await quiesceStorage(domain, { disks, guard: false });
  };

  test('covers the disks whose file systems it froze, and those that have none', async () => {
    await hold(['vda']);
    expect(heldFreeze(held, domain, ['vda']).signal).toBe(held.signal);
    expect(heldFreeze(held, domain, ['vda', 'vdx']).signal).toBe(held.signal);
    expect(() => heldFreeze(held, domain, ['vda', 'vdb'])).toThrow('leaves out /srv. Quiesce vda, vdb together');
    await held.unquiesce();
  });

  test('is of one guest', async () => {
    await hold('all');
    expect(() => heldFreeze(held, domainOf('b'), ['vda'])).toThrow(TypeError);
    await held.unquiesce();
  });

  test('is good for nothing once it was ended', async () => {
    await hold('all');
    const released = held.unquiesce();
    expect(() => heldFreeze(held, domain, ['vda'])).toThrow('was ended by unquiesce()');
    await released;
  });

  test('that does not hold any more gives its reason', async () => {
    await hold('all');
    guest.thaw();
    await new Promise((resolve) => held.signal.addEventListener('abort', resolve));
    expect(() => heldFreeze(held, domain, ['vda'])).toThrow('somebody else has thawed it');
    await held.unquiesce();
  });

  test('cannot be forged', async () => {
    await hold('all');
    expect(isQuiescedStorage(held)).toBe(true);
    const forged = { ...held, filesystems: held.filesystems, signal: held.signal } as unknown as QuiescedStorage;
    for (const value of [forged, Object.create(held), null, {}, 'held']) expect(isQuiescedStorage(value)).toBe(false);
    expect(() => heldFreeze(forged, domain, [])).toThrow(TypeError);
    await held.unquiesce();
  });

  test('of disks that are not there, or are none, is refused before the agent is asked', async () => {
    domain = domainOf();
    await expect(quiesceStorage(domain, { disks: ['vdz'] })).rejects.toMatchObject({ code: 'DISK_NOT_FOUND' });
    await expect(quiesceStorage(domain, { disks: [] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(quiesceStorage(domain, { disks: 'vda' as 'all' })).rejects.toBeInstanceOf(TypeError);
    for (const maxFreezeMs of [0, -1, 1.5, 2 ** 31, Number.NaN]) {
      await expect(quiesceStorage(domain, { maxFreezeMs })).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    }
    await expect(quiesceStorage(domain, { maxFreezeMs: '5' as never })).rejects.toBeInstanceOf(TypeError);
    await expect(quiesceStorage(domain, { guard: 1 as never })).rejects.toBeInstanceOf(TypeError);
    expect(guest.asked).toEqual([]);
  });
});
