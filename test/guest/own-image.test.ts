// A user's own image: its system boots, the console tells when it is up, and the image itself stays as it was.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, jest, test } from '@jest/globals';
import { TestGuest } from '../../lib/testing';
import { run } from '../../lib/testing/command';
import { temporaryDirectory } from '../../lib/testing/scratch';

jest.setTimeout(120_000);

const SAYS = 'my own system is up';
const SECTOR = 512;

// A whole system in one boot sector: copies that sector over the next one, says so on the serial console, and halts.
const BOOT_SECTOR = Buffer.concat([
  Buffer.from(
    [
      'fa 31c0 8ed8 8ec0 8ed0 bc007c', // cli; no segments; a stack below the code
      'b80103 bb007c b90200 ba8000 cd13', // BIOS, write: 1 sector from 0x7c00 to sector 2 of the first disk
      'be377c', // the text
      'ac 84c0 7412 88c3', // next: its next byte; zero: halt
      'bafd03 ec a820 74fb baf803 88d8 ee ebe9', // wait for the port, send the byte, next
      'f4 ebfd', // halt, for ever
    ]
      .join('')
      .replaceAll(' ', ''),
    'hex',
  ),
  Buffer.from(`${SAYS}\0`),
]);

let folder: string;
beforeAll(async () => {
  folder = await temporaryDirectory('images');
});

const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

async function rawCopy(image: string): Promise<Buffer> {
  const raw = join(folder, 'copy.raw');
  await run('qemu-img', ['convert', '-U', '-O', 'raw', image, raw]);
  return readFileSync(raw);
}

test("the first disk's own system boots, tells by the console that it is up, and comes back", async () => {
  const image = join(folder, 'system.raw');
  const disk = Buffer.alloc(1024 * 1024);
  BOOT_SECTOR.copy(disk);
  disk.writeUInt16LE(0xaa55, SECTOR - 2); // the firmware boots no other
  writeFileSync(image, disk);
  const before = digest(image);

  await using guest = await TestGuest.boot({ disks: [{ image }], system: 'disk', agent: false, upWhen: SAYS });
  expect(await guest.console()).toContain(SAYS);
  const written = await rawCopy(guest.image('vda'));
  expect(written.subarray(SECTOR, 2 * SECTOR)).toEqual(disk.subarray(0, SECTOR));
  expect(digest(image)).toBe(before);

  await guest.domain.destroy();
  await guest.restore();
  expect(await guest.domain.isActive()).toBe(true);
});

test('a system that says nothing of the kind is ended, and its last words are told', async () => {
  const image = join(folder, 'mute.raw');
  writeFileSync(image, Buffer.alloc(1024 * 1024));
  const options = { system: 'disk', agent: false, upWhen: SAYS, bootTimeoutMs: 3000 } as const;
  await expect(TestGuest.boot({ disks: [{ image }], ...options })).rejects.toThrow(
    'did not answer within 3000 ms; its console ends with',
  );
});

test('data of an image are there, and what the guest writes goes elsewhere', async () => {
  const image = join(folder, 'data.qcow2');
  await using first = await TestGuest.boot({ restorable: false });
  await first.exec(['sh', '-c', 'echo mine >/mnt/a/data; umount /mnt/a']);
  await first.domain.destroy();
  await run('qemu-img', ['convert', '-O', 'qcow2', first.image('vda'), image]);
  const before = digest(image);

  await using guest = await TestGuest.boot({ disks: [{ image }, { image, format: 'raw', sizeMiB: 80 }] });
  const { stdout } = await guest.exec(['sh', '-c', 'cat /mnt/a/data /mnt/b/data; cat /sys/block/vdb/size']);
  expect(stdout).toBe(`mine\nmine\n${80 * 2048}\n`);
  await guest.exec(['sh', '-c', 'echo other >/mnt/a/data; echo other >/mnt/b/data; sync']);
  expect((await rawCopy(guest.image('vda'))).includes('other')).toBe(true);
  await guest.restore(); // boots anew: a raw disk keeps no state
  expect((await guest.exec(['cat', '/mnt/a/data', '/mnt/b/data'])).stdout).toBe('mine\nmine\n');
  expect(digest(image)).toBe(before);
});
