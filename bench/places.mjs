// Where the rows are measured: hosts of libvirt's test driver with so many guests, in process and behind a daemon, and a daemon's
// storage pool.
import { randomFillSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../scripts/process.mjs';
import { ROWS } from './rows.mjs';

const { PrivateLibvirtd } = createRequire(import.meta.url)(join(root, 'dist', 'testing'));

/** The volume that is downloaded. */
const MIB = ROWS.find(({ where }) => where === 'storage').per;

function hostOf(guests) {
  const guest = (number) =>
    `<domain type='test'><name>${number === 0 ? 'test' : `guest-${number}`}</name><memory>65536</memory><os><type>hvm</type></os></domain>`;
  return `<node>${Array.from({ length: guests }, (_, number) => guest(number)).join('')}</node>`;
}

async function poolWithVolume(daemon, folder) {
  await mkdir(folder);
  await writeFile(join(folder, 'volume'), randomFillSync(Buffer.alloc(MIB * 1024 * 1024)));
  const connection = await daemon.connect();
  await connection.storagePoolCreateXML(
    `<pool type='dir'><name>bench</name><target><path>${folder}</path></target></pool>`,
  );
  await connection.close();
}

/** Calls `work` with a function that gives the URI of a place by the name that the rows have for it. */
export async function withPlaces(work) {
  const folder = await mkdtemp(join(tmpdir(), 'libvirt-disksnapshot-bench-'));
  const daemon = await PrivateLibvirtd.start();
  try {
    await poolWithVolume(daemon, join(folder, 'pool'));
    const socket = `socket=${daemon.socket}`;
    return await work(async (place) => {
      if (place === 'storage') return `qemu+unix:///system?${socket}`;
      const [, kind, guests] = /^(socket|process)(\d*)$/.exec(place);
      const host = guests === '' ? '/default' : join(folder, `${guests}.xml`);
      if (guests !== '') await writeFile(host, hostOf(Number(guests)));
      return kind === 'socket' ? `test+unix://${host}?${socket}` : `test://${host}`;
    });
  } finally {
    await daemon.close();
    await rm(folder, { recursive: true });
  }
}
