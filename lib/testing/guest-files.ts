// Files into the guest and out of it, through its agent.
import { dirname } from 'node:path/posix';
import { MAX_INPUT_BYTES as CHUNK, type ExecOptions, type ExecResult } from './agent';

/** Whatever runs programs in a guest. */
interface Shell {
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
}

export async function writeGuestFile(
  guest: Shell,
  path: string,
  content: string | Uint8Array,
  { mode = 0o644 }: { mode?: number } = {},
): Promise<void> {
  const bytes = Buffer.from(content);
  const script = 'mkdir -p "$2" && : >"$1" && chmod "$3" "$1"';
  await succeed(guest, [script, path, dirname(path), mode.toString(8)]);
  for (let start = 0; start < bytes.length; start += CHUNK) {
    await succeed(guest, ['cat >>"$1"', path], { input: bytes.subarray(start, start + CHUNK) });
  }
}

export async function readGuestFile(guest: Shell, path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let start = 1; ; start += CHUNK) {
    const script = 'exec <"$1" && tail -c "+$2" | head -c "$3" | base64';
    const chunk = Buffer.from(await succeed(guest, [script, path, String(start), String(CHUNK)]), 'base64');
    chunks.push(chunk);
    if (chunk.length < CHUNK) return Buffer.concat(chunks);
  }
}

async function succeed(
  guest: Shell,
  [script, ...args]: readonly [string, ...string[]],
  options?: ExecOptions,
): Promise<string> {
  const { exitCode, stdout, stderr } = await guest.exec(['sh', '-c', script, 'sh', ...args], options);
  if (exitCode !== 0) throw new Error(`in the guest, ${script} failed for ${args[0]}: ${stderr.trim()}`);
  return stdout;
}
