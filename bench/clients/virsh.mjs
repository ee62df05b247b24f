// virsh downloads a volume. Where it is written to is no part of the measure.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { answer } from './serve.mjs';

const virsh = promisify(execFile);
const download = () =>
  virsh('virsh', ['-c', process.argv[2], 'vol-download', '--pool', 'bench', 'volume', '/dev/null']);

await answer({ download });
