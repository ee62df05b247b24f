// Where logical volumes are: what the tests ask of such a host, whether it is this machine or another one.
import type { Connection } from '../../../lib/libvirt';
import type { ExecResult } from '../../../lib/testing/agent';
import type { GuestHardware } from '../../../lib/testing/guest-xml';

/** A libvirt host with an empty volume group. All that is made on it goes when it is closed. */
export interface LvmHost extends AsyncDisposable {
  /** What guests on it run on. */
  readonly hardware: Pick<GuestHardware, 'accelerator' | 'kernel'>;
  /** A folder there, for images, and for consoles and sockets of guests. */
  readonly folder: string;
  /** The device that the volume group lies on. */
  readonly physicalVolume: string;

  /** To its libvirtd. */
  connect(): Promise<Connection>;

  /** Runs a program there, past libvirt, and resolves with what it printed; rejects where it fails. */
  run(...argv: string[]): Promise<string>;

  /** The same, whatever the exit code. */
  exec(argv: readonly string[]): Promise<ExecResult>;

  close(): Promise<void>;
}
