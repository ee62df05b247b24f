// This package downloads a volume. A slice begins with the connection, as virsh's does.
import { createWriteStream } from 'node:fs';
import { createRequire } from 'node:module';
import { pipeline } from 'node:stream/promises';

const { connect } = createRequire(import.meta.url)('../../dist');

/** Where it is written to is no part of the measure. */
export async function download(uri) {
  const connection = await connect(uri);
  const pool = await connection.storagePoolLookupByName('bench');
  const volume = await pool.storageVolLookupByName('volume');
  const stream = await connection.streamNew();
  await volume.download(stream, 0, 0);
  await pipeline(stream.readable(), createWriteStream('/dev/null'));
  await connection.close();
}
