// Commands to the QEMU that runs a guest, through libvirt: what only QEMU knows, and what libvirt has no call for.
import { type Domain, DomainQemuMonitorCommandFlags } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { DiskSnapshotError } from '../errors';

/**
 * Runs one QMP command and gives its `return`. virDomainQemuMonitorCommand; libvirt marks the domain as tainted by it.
 *
 * @throws DiskSnapshotError OPERATION_FAILED with QEMU's own words; LibvirtError where libvirt refused (a guest that is
 * off, a driver that is not QEMU's).
 */
export async function qmp<T>(
  domain: Domain,
  command: string,
  args: Readonly<Record<string, unknown>> = {},
  options: CallOptions = {},
): Promise<T> {
  const request = JSON.stringify({ execute: command, arguments: args });
  const answer = JSON.parse(
    await domain.qemuMonitorCommand(request, { flags: DomainQemuMonitorCommandFlags.DEFAULT, ...options }),
  ) as { return: T } | { error: { class: string; desc: string } };
  if ('error' in answer) {
    const guest = domain.getName();
    throw new DiskSnapshotError('OPERATION_FAILED', `${guest}: QEMU refused ${command}: ${answer.error.desc}`, {
      guest,
      cause: answer.error,
    });
  }
  return answer.return;
}
