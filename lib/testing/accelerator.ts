// Whether guests run on KVM here, tried rather than guessed.
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { run } from './command';

export const EMULATOR = 'qemu-system-x86_64';

let answer: Promise<'kvm' | 'qemu'> | undefined;

/** The `type` of `<domain>`: `'kvm'` where a virtual processor starts on it, else `'qemu'`, which emulates everything. */
export function accelerator(): Promise<'kvm' | 'qemu'> {
  answer ??= tryKvm().then((works) => (works ? 'kvm' : 'qemu'));
  return answer;
}

/** A machine inside a virtual machine may have a /dev/kvm that opens, and yet no virtual processor that starts. */
async function tryKvm(): Promise<boolean> {
  try {
    await access('/dev/kvm', constants.R_OK | constants.W_OK);
    const args = ['-accel', 'kvm', '-cpu', 'host', '-machine', 'q35', '-nodefaults', '-display', 'none', '-S'];
    await run(EMULATOR, [...args, '-monitor', 'stdio'], { input: 'quit\n' });
    return true;
  } catch {
    return false;
  }
}
