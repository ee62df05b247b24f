// Whether guests run on KVM here: tried rather than guessed.
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory } from './cache';
import { run } from './command';

export const EMULATOR = 'qemu-system-x86_64';

type Accelerator = 'kvm' | 'qemu';
let answer: Promise<Accelerator> | undefined;

/** The `type` of `<domain>`: `'kvm'` where a virtual processor runs at the processor's own speed, else `'qemu'`, which emulates everything. */
export function accelerator(): Promise<Accelerator> {
  answer ??= isReachable().then(async (yes) => (yes ? ((await known()) ?? (await learn())) : 'qemu'));
  return answer;
}

const isReachable = () =>
  access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );

// ---- what was found since the machine was started -----------------------------------------------------------------

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const note = () => join(cacheDirectory(), 'accelerator.json');

async function known(): Promise<Accelerator | undefined> {
  try {
    const { boot, found } = JSON.parse(await readFile(note(), 'utf8'));
    return boot === (await readFile(BOOT_ID, 'utf8')) ? found : undefined;
  } catch {
    return undefined; // never asked, or another process is just writing it
  }
}

async function learn(): Promise<Accelerator> {
  const found = (await runsAtSpeed('kvm')) ? 'kvm' : 'qemu';
  await mkdir(cacheDirectory(), { recursive: true });
  await writeFile(note(), JSON.stringify({ boot: await readFile(BOOT_ID, 'utf8'), found }));
  return found;
}

// ---- trying it ------------------------------------------------------------------------------------------------------

/**
 * A machine inside a virtual machine may have a /dev/kvm that opens and no virtual processor that starts, or one that starts and
 * has each instruction emulated: the firmware then takes six seconds, a Linux kernel for ever. QEMU's own emulation needs a third
 * of a second for what is tried here.
 */
const LIMIT_MS = 5_000;
/** QEMU's exit code for 0x21 at the port of isa-debug-exit; it has no such code of its own. */
const DONE = 67;

// A boot sector that enters the processor's 64-bit mode, counts to 64 million, and says so to QEMU.
const BOOT_SECTOR = [
  'fa 31c0 8ed8 8ec0', // cli; no segments
  'bf0010 b90018 f3ab', // empty tables at 0x1000, 0x2000, 0x3000
  'c70600100320 c70600200330 c606003083', // the first 2 MiB, where they are
  '66b820000000 0f22e0 66b800100000 0f22d8', // CR4: PAE; CR3: the tables
  '66b9800000c0 0f32 80cc01 0f30', // EFER: LME
  '0f20c0 660d01000080 0f22c0', // CR0: PG and PE
  '0f0116667c ea557c0800', // lgdt 0x7c66; jump to 0x7c55 in its code segment
  'b900000004 ffc9 75fc', // count down from 0x4000000
  '66baf400 b021 ee f4', // out 0xf4, 0x21; halt
  '0f006c7c0000 0000000000000000 00000000009a2000', // what lgdt loads, and the table: nothing, 64-bit code
].join('');

/** @param accel as QEMU's -accel names it. */
export async function runsAtSpeed(accel: 'kvm' | 'tcg'): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'accelerator-'));
  try {
    const sector = Buffer.alloc(512);
    sector.write(BOOT_SECTOR.replaceAll(' ', ''), 'hex');
    sector.writeUInt16LE(0xaa55, 510);
    const filename = join(folder, 'sector');
    await writeFile(filename, sector);
    const machine = ['-accel', accel, '-cpu', 'max', '-machine', 'pc', '-nodefaults', '-display', 'none', '-no-reboot'];
    const disk = { driver: 'raw', 'node-name': 'disk', file: { driver: 'file', filename } };
    const devices = ['-blockdev', JSON.stringify(disk), '-device', 'ide-hd,drive=disk'];
    const done = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=1'];
    const signal = AbortSignal.timeout(LIMIT_MS);
    await run(EMULATOR, [...machine, ...devices, ...done], { accept: [DONE], signal });
    return true;
  } catch {
    return false;
  } finally {
    await rm(folder, { recursive: true });
  }
}
