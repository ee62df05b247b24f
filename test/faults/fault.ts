// What befalls an operation.
import type { Laboratory } from './laboratory';
import type { Row } from './matrix';
import type { RunningOperation } from './running';

export interface Fault {
  /** Before the operation begins: what has to be said to a guest that will be frozen. */
  arm?(lab: Laboratory, row: Row): Promise<void>;
  /** While the operation waits at the point; it has gone on, or ended, when this resolves. */
  strike(lab: Laboratory, running: RunningOperation, row: Row): Promise<void>;
  /** After the operation has ended. */
  mend?(lab: Laboratory, row: Row): Promise<void>;
}
