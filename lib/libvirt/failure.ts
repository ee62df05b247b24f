// What the addon says went wrong, as the errors that JavaScript sees. Made here, so that they are errors of this realm
// and their stack shows who called.
import type { NativeFailure, NativeRefusal } from '../native';
import { argumentError, LibvirtError } from './errors';
import { ErrorNumber } from './generated/constants';
import { parameters } from './generated/parameters';

const PACKAGES = [
  '  Debian, Ubuntu: apt install libvirt0',
  '  Fedora, RHEL:   dnf install libvirt-libs',
  '  openSUSE:       zypper install libvirt-libs',
  '  Alpine:         apk add libvirt-libs',
  '  Arch:           pacman -S libvirt',
].join('\n');

/** A deadline's error, as AbortSignal.timeout gives it. */
const timeoutError = () => new DOMException('The operation was aborted due to timeout', 'TimeoutError');

/** `reason`: of the signal that abandoned the call. */
export function errorOf(failure: NativeFailure, reason?: unknown): unknown {
  switch (failure.kind) {
    case 'libvirt':
      return new LibvirtError(failure);
    case 'library':
      return new LibvirtError({
        code: failure.code,
        message: `libvirt is not installed here: ${failure.message}. Install it:\n${PACKAGES}`,
        str1: failure.soname,
      });
    case 'timeout':
      return timeoutError();
    case 'closed':
      return new LibvirtError({
        code: ErrorNumber.INVALID_CONN,
        message: 'the connection was closed while the call was in flight',
      });
    case 'lost':
      return new LibvirtError({
        code: ErrorNumber.RPC,
        message: 'the connection was lost: the host does not answer keepalive any more',
      });
    case 'abandoned':
      return reason;
  }
}

export function refusalOf(refusal: NativeRefusal, functionName: string): TypeError | RangeError {
  const names = parameters[functionName]?.split(' ') ?? [];
  const subject =
    refusal.parameter < 0
      ? `The receiver of ${functionName}`
      : `The argument '${names[refusal.parameter]}' of ${functionName}`;
  const expected = refusal.expected.replaceAll(/\{(\d+)\}/g, (_, position) => names[position] ?? position);
  return argumentError(refusal.code, `${subject} must be ${expected}`);
}
