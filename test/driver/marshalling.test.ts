// Values across the boundary: what goes in, what comes out, and what is refused before libvirt sees it.
import { describe, expect, test } from '@jest/globals';
import {
  ConnectGetAllDomainStatsFlags,
  connect,
  Domain,
  DomainDefineFlags,
  DomainSnapshot,
  DomainState,
  DomainStatsTypes,
  DomainXMLFlags,
  ErrorNumber,
  type Flags,
  LibvirtError,
  nameOf,
} from '../../lib/libvirt';
import { rejection, testDriver } from './test-driver';

const driver = testDriver();

describe('out of libvirt', () => {
  test('text, and what is read from the handle at once', () => {
    expect(driver.domain.getName()).toBe('test');
    expect(driver.domain.getUUIDString()).toMatch(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
    expect(Buffer.from(driver.domain.getUUID()).toString('hex')).toBe(
      driver.domain.getUUIDString().replaceAll('-', ''),
    );
    expect(driver.domain.getUUID()).toBeInstanceOf(Uint8Array);
    expect(driver.domain.getID()).toBe(1);
  });

  test('the id of a guest that is off is null', async () => {
    const off = await driver.connection.domainDefineXML(
      "<domain type='test'><name>off</name><memory>1024</memory><os><type>hvm</type></os></domain>",
    );
    expect(off.getID()).toBeNull();
    await off.undefine();
  });

  test('a struct: 64 bits are bigint, the rest number', async () => {
    const info = await driver.domain.getInfo();
    expect(info).toStrictEqual({
      state: DomainState.RUNNING,
      maxMem: 8388608,
      memory: 2097152,
      nrVirtCpu: 2,
      cpuTime: expect.any(BigInt),
    });
  });

  test('several out-parameters are one object', async () => {
    expect(await driver.domain.getState()).toStrictEqual({ state: DomainState.RUNNING, reason: expect.any(Number) });
    expect(await driver.domain.getTime()).toStrictEqual({ seconds: expect.any(BigInt), nseconds: 0 });
  });

  test('an int is what its tag says', async () => {
    expect(await driver.domain.isActive()).toBe(true);
    expect(await driver.domain.isUpdated()).toBe(false);
    expect(await driver.connection.numOfDomains()).toBe(1);
    expect(await driver.domain.suspend()).toBeUndefined();
    await driver.domain.resume();
  });

  test('lists are arrays of this realm, and handles know their connection', async () => {
    const list = await driver.connection.listAllDomains();
    expect(list).toBeInstanceOf(Array);
    expect(list.map((domain) => domain.getName())).toEqual(['test']);
    expect(list[0]).toBeInstanceOf(Domain);
    expect(list[0]?.connection).toBe(driver.connection);
  });

  test('lists of structs with contents of their own', async () => {
    expect(await driver.domain.getFSInfo()).toStrictEqual([
      { mountpoint: '/', name: 'vda1', fstype: 'ext4', devAlias: ['vda'] },
      { mountpoint: '/boot', name: 'vda2', fstype: 'ext4', devAlias: ['vda'] },
    ]);
    expect(await driver.domain.getDiskErrors()).toStrictEqual([{ disk: 'vda', error: 1 }]);
  });

  test('typed parameters and the guest they are of', async () => {
    const [record, ...others] = await driver.connection.getAllDomainStats();
    expect(others).toEqual([]);
    expect(record?.domain.getName()).toBe('test');
    expect(record?.params).toStrictEqual({ 'state.state': 1, 'state.reason': expect.any(Number) });
  });

  test('a guest that is off has its id null, a snapshot its guest', async () => {
    const snapshot = await driver.domain.snapshotCreateXML('<domainsnapshot><name>a</name></domainsnapshot>');
    expect(snapshot).toBeInstanceOf(DomainSnapshot);
    expect(snapshot.domain).toBe(driver.domain);
    expect((await driver.domain.listAllSnapshots()).map((each) => each.getName())).toEqual(['a']);
    expect(await snapshot.isCurrent()).toBe(true);
    await driver.domain.revertToSnapshot(snapshot);
    await snapshot.delete();
    expect(await driver.domain.snapshotNum()).toBe(0);
  });
});

describe('into libvirt', () => {
  test('numbers and bigints', async () => {
    await driver.domain.setTime(1234n, 5);
    expect(await driver.domain.getTime()).toMatchObject({ seconds: 1234n });
    await driver.domain.setTime(99, 0);
    expect(await driver.domain.getTime()).toMatchObject({ seconds: 99n });
  });

  test('typed parameters, by the schema of their function', async () => {
    const xml = `<domain type='test'><name>tuned</name><memory>1024</memory><os><type>hvm</type></os><devices>
      <disk type='file' device='disk'><source file='/x'/><target dev='vda' bus='virtio'/></disk></devices></domain>`;
    const tuned = await driver.connection.domainCreateXML(xml);
    await tuned.setBlockIoTune('vda', { total_bytes_sec_max: 2n ** 40n, read_iops_sec_max: 7, group_name: 'grüppe' });
    expect(await tuned.getBlockIoTune('vda')).toMatchObject({
      total_bytes_sec_max: 2n ** 40n,
      read_iops_sec_max: 7n,
      group_name: 'grüppe',
    });
    await tuned.destroy();
  });

  test('lists of texts', async () => {
    expect(await driver.domain.fsFreeze(['/'])).toBe(1);
    expect(await driver.domain.fsThaw()).toBe(1);
    expect(await driver.domain.fsFreeze(null)).toBe(2);
    expect(await driver.domain.fsThaw()).toBe(2);
  });

  test('flags: one, several with |, a list, an option', async () => {
    const flags = DomainXMLFlags.SECURE | DomainXMLFlags.INACTIVE;
    const expected = await driver.domain.getXMLDesc(flags);
    expect(await driver.domain.getXMLDesc([DomainXMLFlags.SECURE, DomainXMLFlags.INACTIVE])).toBe(expected);
    expect(await driver.domain.getXMLDesc({ flags })).toBe(expected);
    expect(await driver.domain.getXMLDesc()).not.toBe(expected);
    await expect(driver.connection.domainDefineXMLFlags('<domain/>', DomainDefineFlags.VALIDATE)).rejects.toThrow(
      LibvirtError,
    );
  });

  test('bits that are no flags: one, several with |, a list; absent, null and 0: all', async () => {
    const { STATE, VCPU } = DomainStatsTypes;
    const paramsOf = async (stats?: Flags<'DomainStatsTypes'> | null) =>
      Object.keys((await driver.connection.getAllDomainStats(stats))[0]?.params ?? {});
    const [all, state] = [await paramsOf(), await paramsOf(STATE)];
    expect(state).toEqual(['state.state', 'state.reason']);
    for (const stats of [0, null, [], [STATE, VCPU], STATE | VCPU]) expect(await paramsOf(stats)).toEqual(all);
    expect(await paramsOf([STATE])).toEqual(state);
    // What the host does not know is left out, or refused where that is asked for: so it did get there.
    const strict = { flags: ConnectGetAllDomainStatsFlags.ENFORCE_STATS };
    expect(await rejection(driver.connection.getAllDomainStats([STATE, VCPU], strict))).toBeInstanceOf(LibvirtError);
    const wrong = driver.connection.getAllDomainStats([STATE, 'VCPU'] as never);
    expect(await rejection(wrong)).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(await rejection(driver.connection.getAllDomainStats([-1]))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  });

  test('two lists that belong together have the same length', async () => {
    const error = await rejection(driver.connection.nodeAllocPages([2048, 1_048_576], [1n], 0, 1));
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({
      code: 'ERR_OUT_OF_RANGE',
      message:
        "The argument 'pageCounts' of virNodeAllocPages must be an array of 2 numbers, one for each of 'pageSizes', and not of 1",
    });
    expect(await rejection(driver.connection.nodeAllocPages([2048], [1, 2, 3], 0, 1))).toBeInstanceOf(RangeError);
    // With as many, the driver is asked, which has no such function.
    const asked = await rejection(driver.connection.nodeAllocPages([4], [1], 0, 1));
    expect(asked).toMatchObject({ code: ErrorNumber.NO_SUPPORT });
  });

  test('every character, also the one that stands for an unreadable one', async () => {
    const name = 'grün 😀 \ufffd';
    const xml = `<domain type='test'><name>${name}</name><memory>1024</memory><os><type>hvm</type></os></domain>`;
    const domain = await driver.connection.domainCreateXML(xml);
    expect((await driver.connection.domainLookupByName(name)).getName()).toBe(name);
    await domain.destroy();
  });

  test('a uuid', async () => {
    expect((await driver.connection.domainLookupByUUID(driver.domain.getUUID())).getName()).toBe('test');
  });
});

describe('refused, and libvirt was not called', () => {
  const ask = () => driver.connection as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const dom = () => driver.domain as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  test.each<[string, () => Promise<unknown> | undefined, string, string]>([
    [
      'no argument',
      () => ask().domainLookupByName?.(),
      'ERR_INVALID_ARG_TYPE',
      "'name' of virDomainLookupByName must be a string",
    ],
    ['null where none may be', () => ask().domainLookupByName?.(null), 'ERR_INVALID_ARG_TYPE', 'a string'],
    ['an object for a text', () => ask().domainLookupByName?.({}), 'ERR_INVALID_ARG_TYPE', 'a string'],
    ['NUL', () => ask().domainLookupByName?.('a\0b'), 'ERR_INVALID_ARG_VALUE', 'without NUL'],
    ['half a character', () => ask().domainLookupByName?.('a\ud83d'), 'ERR_INVALID_ARG_VALUE', 'lone surrogates'],
    ['its other half', () => ask().domainLookupByName?.('\ude00'), 'ERR_INVALID_ARG_VALUE', 'lone surrogates'],
    ['both, swapped', () => dom().fsFreeze?.(['\ude00\ud83d']), 'ERR_INVALID_ARG_VALUE', 'lone surrogates'],
    ['half a character in a uri', () => connect('test:///\ud83d'), 'ERR_INVALID_ARG_VALUE', 'lone surrogates'],
    ['NUL in a list', () => dom().fsFreeze?.(['a\0b']), 'ERR_INVALID_ARG_VALUE', 'without NUL'],
    [
      'a fraction',
      () => ask().domainLookupByID?.(1.5),
      'ERR_OUT_OF_RANGE',
      'an integer from -2147483648 to 2147483647',
    ],
    ['too large', () => ask().domainLookupByID?.(2 ** 31), 'ERR_OUT_OF_RANGE', 'an integer'],
    ['too large a bigint', () => dom().blockResize?.('vda', 2n ** 64n), 'ERR_OUT_OF_RANGE', '18446744073709551615'],
    ['negative for unsigned', () => dom().blockResize?.('vda', -1), 'ERR_OUT_OF_RANGE', 'an integer from 0'],
    ['an unsafe number', () => dom().blockResize?.('vda', 2 ** 53), 'ERR_OUT_OF_RANGE', 'an integer'],
    ['NaN', () => dom().blockResize?.('vda', Number.NaN), 'ERR_OUT_OF_RANGE', 'an integer'],
    ['more than libvirt carries', () => dom().blockPeek?.('vda', 0, 2 ** 45), 'ERR_OUT_OF_RANGE', 'from 0 to 4194304'],
    ['the same of memory', () => dom().memoryPeek?.(0, 4194305), 'ERR_OUT_OF_RANGE', 'from 0 to 4194304'],
    [
      'a list longer than libvirt carries',
      () => ask().nodeGetFreePages?.(new Array(1025).fill(4), 0, 1),
      'ERR_OUT_OF_RANGE',
      'an array of at most 1024 numbers',
    ],
    ['a text for a number', () => dom().blockResize?.('vda', '1'), 'ERR_INVALID_ARG_TYPE', 'a number or a bigint'],
    [
      'a handle of another class',
      () => dom().revertToSnapshot?.(driver.domain),
      'ERR_INVALID_ARG_TYPE',
      'a DomainSnapshot',
    ],
    ['no handle', () => dom().revertToSnapshot?.({}), 'ERR_INVALID_ARG_TYPE', 'a DomainSnapshot'],
    ['a list with something else', () => ask().domainListGetStats?.([1]), 'ERR_INVALID_ARG_TYPE', 'an array of Domain'],
    [
      'an unknown typed parameter',
      () => dom().setBlockIoTune?.('vda', { speed: 1 }),
      'ERR_INVALID_ARG_VALUE',
      "'speed' is none of them",
    ],
    [
      'a typed parameter of a wrong type',
      () => dom().setBlockIoTune?.('vda', { read_iops_sec: 'x' }),
      'ERR_INVALID_ARG_TYPE',
      'whose read_iops_sec is a number',
    ],
    ['a short uuid', () => ask().domainLookupByUUID?.(new Uint8Array(15)), 'ERR_INVALID_ARG_VALUE', '16 bytes'],
    ['flags that are none', () => dom().getXMLDesc?.('secure'), 'ERR_INVALID_ARG_TYPE', 'flags of virDomainGetXMLDesc'],
    ['negative flags', () => dom().getXMLDesc?.(-1), 'ERR_OUT_OF_RANGE', 'unsigned 32-bit'],
    ['a wrong flag in a list', () => dom().getXMLDesc?.([1, 0.5]), 'ERR_OUT_OF_RANGE', 'unsigned 32-bit'],
    [
      'flags where there are none',
      () => dom().getInfo?.({ flags: 1 }),
      'ERR_INVALID_ARG_VALUE',
      'virDomainGetInfo takes no flags',
    ],
    ['a number for options', () => dom().getInfo?.(1), 'ERR_INVALID_ARG_TYPE', 'an object with options'],
    ['a signal that is none', () => dom().getInfo?.({ signal: 1 }), 'ERR_INVALID_ARG_TYPE', "'signal'"],
    ['a negative limit', () => dom().getInfo?.({ timeoutMs: -1 }), 'ERR_OUT_OF_RANGE', "'timeoutMs'"],
    ['a foreign receiver', () => Domain.prototype.getInfo.call({} as Domain), 'ERR_INVALID_ARG_TYPE', 'receiver'],
    [
      'a receiver of another class',
      () => Domain.prototype.getInfo.call(driver.connection as never),
      'ERR_INVALID_ARG_TYPE',
      'a Domain',
    ],
  ])('%s', async (_what, attempt, code, text) => {
    const promise = attempt();
    expect(promise).toBeInstanceOf(Promise);
    const error = await rejection(promise as Promise<unknown>);
    expect(error).toBeInstanceOf(code === 'ERR_OUT_OF_RANGE' ? RangeError : TypeError);
    expect(error).toMatchObject({ code, message: expect.stringContaining(text) });
  });

  test('a handle of another connection', async () => {
    const other = await connect('test:///default');
    const snapshot = await driver.domain.snapshotCreateXML('<domainsnapshot/>');
    const theirs = await other.domainLookupByName('test');
    const error = await rejection(theirs.revertToSnapshot(snapshot));
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      message: expect.stringContaining('of the same connection'),
    });
    await snapshot.delete();
    await other.close();
  });

  test('new', () => {
    expect(() => new (Domain as unknown as new () => Domain)()).toThrow(TypeError);
  });
});

test('nameOf', () => {
  expect(nameOf(DomainState, 5)).toBe('SHUTOFF');
  expect(nameOf(DomainState, 99)).toBeUndefined();
});
