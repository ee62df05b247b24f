// Events of every kind on a real daemon: each can be registered and given back; those that a guest without a system can
// bring about are brought about.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  ConnectDomainEventBlockJobStatus,
  type Connection,
  type Domain,
  DomainBlockCopyFlags,
  DomainBlockJobType,
  DomainCreateFlags,
  DomainDeviceModifyFlags,
  type DomainEvents,
  DomainEventTrayChangeReason,
  DomainQemuMonitorCommandFlags,
  ErrorNumber,
  LibvirtError,
} from '../../lib/libvirt';
import { native } from '../../lib/native';
import { rejection } from '../driver/test-driver';
import { guestXml, host, next } from './bare-host';

jest.setTimeout(60_000);

const MIB = 1024 * 1024;
const NAMES = native.events.map(({ name }) => name as keyof DomainEvents);
/** Of a newer libvirt than 9.0. */
const NEWER: ReadonlySet<string> = new Set(['network-metadata-change', 'nic-mac-change']);

const made = host();
const { at } = made;
let conn: Connection;
beforeAll(() => {
  conn = made.conn;
});

test.each(NAMES)('%s is registered, twice, and given back', async (name) => {
  const subscribed = async () => [await conn.subscribe(name), await conn.subscribe(name)];
  if (NEWER.has(name) && (await conn.getLibVersion()) < 9_008_000) {
    const error = await rejection(subscribed());
    expect(error).toBeInstanceOf(LibvirtError);
    expect([ErrorNumber.NO_SUPPORT, ErrorNumber.INVALID_ARG]).toContain((error as LibvirtError).code);
    return;
  }
  for (const events of await subscribed()) await events[Symbol.asyncDispose]();
});

describe('of a running guest', () => {
  const image = (name: string, format: string) => {
    execFileSync('qemu-img', ['create', '-q', '-f', format, at(name), '8M']);
    return at(name);
  };
  const cdrom = (file: string) =>
    `<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='${file}' startupPolicy='optional'/><target dev='sda' bus='sata'/><readonly/></disk>`;
  let domain: Domain;
  beforeEach(async () => {
    const disk = `<disk type='file'><driver name='qemu' type='qcow2'/><source file='${image('disk', 'qcow2')}'/><target dev='vda' bus='virtio'/></disk>`;
    const screen = `<graphics type='vnc' socket='${at('vnc')}'/><video><model type='vga'/></video>`;
    domain = await conn.domainCreateXML(
      guestXml('teller', disk + cdrom(image('cd', 'raw')) + screen),
      DomainCreateFlags.START_PAUSED,
    );
  });
  afterEach(() => domain?.destroy());

  test('reboot, and every event of the monitor', async () => {
    const rebooted = await domain.subscribe('reboot');
    const told = await domain.subscribe('qemu-monitor-event');
    await domain.reset();
    expect((await next(rebooted)).domain.getName()).toBe('teller');
    const { event, details, seconds } = await next(told);
    expect(event).toBe('RESET');
    expect(JSON.parse(details ?? '')).toMatchObject({ guest: false });
    expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(60);
  });

  test('tray-change: another medium in the drive', async () => {
    const changed = await domain.subscribe('tray-change');
    await domain.updateDeviceFlags(cdrom(image('other', 'raw')), DomainDeviceModifyFlags.FORCE);
    const { devAlias, reason } = await next(changed);
    expect([devAlias, reason]).toEqual(['sata0-0-0', DomainEventTrayChangeReason.OPEN]);
  });

  test('disk-change: a medium that was missing at the start', async () => {
    const changed = await conn.subscribe('disk-change');
    const other = await conn.domainCreateXML(guestXml('other', cdrom(at('nowhere'))), DomainCreateFlags.START_PAUSED);
    expect(await next(changed)).toMatchObject({ oldSrcPath: at('nowhere'), newSrcPath: null, devAlias: 'sata0-0-0' });
    await other.destroy();
  });

  test('block-job and block-job-2: a copy is ready, by its path and by its disk', async () => {
    const byPath = await domain.subscribe('block-job');
    const byDisk = await domain.subscribe('block-job-2');
    const target = `<disk type='file'><driver type='qcow2'/><source file='${at('copy')}'/></disk>`;
    await domain.blockCopy('vda', target, {}, DomainBlockCopyFlags.TRANSIENT_JOB);
    const ready = { type: DomainBlockJobType.COPY, status: ConnectDomainEventBlockJobStatus.READY };
    expect(await next(byPath)).toMatchObject({ ...ready, disk: at('disk') });
    expect(await next(byDisk)).toMatchObject({ ...ready, disk: 'vda' });
    await domain.blockJobAbort('vda');
    await rm(at('copy'));
  });

  test('block-threshold: more is written than was told', async () => {
    const exceeded = await domain.subscribe('block-threshold');
    await domain.setBlockThreshold('vda', BigInt(MIB / 4));
    const write = 'qemu-io -d /machine/peripheral/virtio-disk0/virtio-backend "write 2M 64k"';
    await domain.qemuMonitorCommand(write, DomainQemuMonitorCommandFlags.HMP);
    const { dev, threshold, excess } = await next(exceeded);
    expect([dev, threshold, excess > 0n]).toEqual(['vda', BigInt(MIB / 4), true]);
  });

  test('graphics: a viewer comes', async () => {
    const came = await domain.subscribe('graphics');
    const viewer = connectSocket(at('vnc'));
    await once(viewer, 'connect');
    const { phase, authScheme } = await next(came);
    expect([phase, typeof authScheme]).toEqual([0, 'string']);
    viewer.destroy();
  });
});
