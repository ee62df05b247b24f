// The events of libvirt that can be subscribed to, by the names of `virsh event --list`, those of
// other objects by their object's name before it; and what each carries.
import type { Domain } from './domain';
import type {
  DomainEventIOErrorAction,
  DomainEventTrayChangeReason,
  DomainEventType,
  DomainEventWatchdogAction,
} from './generated/constants';
import type { Network } from './network';
import type { NodeDevice } from './node-device';
import type { Secret } from './secret';
import type { StoragePool } from './storage-pool';
import type { JobStatsTold, TunableTold } from './told';

/** One end of a viewer's connection. */
export interface GraphicsAddress {
  /** One of `DomainEventGraphicsAddressType`. */
  family: number;
  /** An IP address, or a path. */
  node: string;
  service: string | null;
}

interface OfDomain {
  domain: Domain;
}

/** The events that are of one kind of object, by what they call it: `'domain'`, `'network'`, `'pool'`, `'device'`, `'secret'`. */
export type EventNameOf<Subject extends string> = {
  [Name in keyof DomainEvents]: DomainEvents[Name] extends Record<Subject, unknown> ? Name : never;
}[keyof DomainEvents];

/** What the addon's table of events gives, by name. Times are libvirt's own. */
export interface DomainEvents {
  /** `detail` is of the enum that belongs to the event: `DomainEventStoppedDetailType` and its sisters. */
  lifecycle: OfDomain & { event: DomainEventType; detail: number };
  reboot: OfDomain;
  /** `utcoffset`: the new offset from UTC, in seconds. */
  'rtc-change': OfDomain & { utcoffset: bigint };
  watchdog: OfDomain & { action: DomainEventWatchdogAction };
  'io-error': OfDomain & { srcPath: string; devAlias: string; action: DomainEventIOErrorAction };
  'io-error-reason': OfDomain & { srcPath: string; devAlias: string; action: DomainEventIOErrorAction; reason: string };
  /** A viewer came or went. `phase` of `DomainEventGraphicsPhase`; families of `DomainEventGraphicsAddressType`. */
  graphics: OfDomain & {
    phase: number;
    local: GraphicsAddress;
    remote: GraphicsAddress;
    authScheme: string;
    subject: { type: string; name: string }[];
  };
  'control-error': OfDomain;
  /**
   * `disk` is the source path, which changes at the pivot: prefer `block-job-2`, which says what `type` and `status`
   * are.
   */
  'block-job': OfDomain & { disk: string; type: number; status: number };
  /** `reason` of `ConnectDomainEventDiskChangeReason`. */
  'disk-change': OfDomain & { oldSrcPath: string | null; newSrcPath: string | null; devAlias: string; reason: number };
  'tray-change': OfDomain & { devAlias: string; reason: DomainEventTrayChangeReason };
  /** `reason`: 0 so far. */
  'pm-wakeup': OfDomain & { reason: number };
  /** `reason`: 0 so far. */
  'pm-suspend': OfDomain & { reason: number };
  /** `reason`: 0 so far. */
  'pm-suspend-disk': OfDomain & { reason: number };
  /** `actual`: what the balloon leaves the guest now, in KiB. */
  'balloon-change': OfDomain & { actual: bigint };
  'device-added': OfDomain & { devAlias: string };
  'device-removed': OfDomain & { devAlias: string };
  'device-removal-failed': OfDomain & { devAlias: string };
  /** `disk` is the target (`vda`); `type` of `DomainBlockJobType`, `status` of `ConnectDomainEventBlockJobStatus`. */
  'block-job-2': OfDomain & { disk: string; type: number; status: number };
  /** Of `ConnectDomainEventAgentLifecycleState` and `…Reason`. */
  'agent-lifecycle': OfDomain & { state: number; reason: number };
  /** `iteration`: how often the guest's memory has been gone over. */
  'migration-iteration': OfDomain & { iteration: number };
  /** As `COMPLETED` of {@link Domain.getJobStats}: milliseconds and bytes. */
  'job-completed': OfDomain & { params: JobStatsTold };
  tunable: OfDomain & { params: TunableTold };
  /** `type` of `DomainMetadataType`. */
  'metadata-change': OfDomain & { type: number; nsuri: string | null };
  /** `threshold`: the offset that was set, `excess`: how far beyond it was written (0: not known); both in bytes. */
  'block-threshold': OfDomain & { dev: string; path: string | null; threshold: bigint; excess: bigint };
  /**
   * `recipient` of `DomainMemoryFailureRecipientType`, `action` of `DomainMemoryFailureActionType`, `flags`: bits of
   * `DomainMemoryFailureFlags`.
   */
  'memory-failure': OfDomain & { recipient: number; action: number; flags: number };
  /** `size`: the device's size now, in KiB. */
  'memory-device-size-change': OfDomain & { alias: string; size: bigint };
  /** The guest gave a network interface another address. libvirt 11.2 and later. */
  'nic-mac-change': OfDomain & { alias: string; oldMAC: string; newMAC: string };
  /**
   * virConnectDomainQemuMonitorEventRegister: every event of QEMU's monitor; `details` is JSON. When: `seconds` since
   * the epoch, -1: not known, and `micros` microseconds.
   */
  'qemu-monitor-event': OfDomain & { event: string; seconds: bigint; micros: number; details: string | null };

  // ---- of other objects ----
  /** `event` of `NetworkEventLifecycleType`; `detail`: 0 so far. */
  'network-lifecycle': { network: Network; event: number; detail: number };
  /** `type` of `NetworkMetadataType`. libvirt 9.8 and later. */
  'network-metadata-change': { network: Network; type: number; nsuri: string | null };
  /** `event` of `StoragePoolEventLifecycleType`; `detail`: not used so far. */
  'storage-pool-lifecycle': { pool: StoragePool; event: number; detail: number };
  'storage-pool-refresh': { pool: StoragePool };
  /** `event` of `NodeDeviceEventLifecycleType`; `detail`: why, as far as there are reasons. */
  'node-device-lifecycle': { device: NodeDevice; event: number; detail: number };
  'node-device-update': { device: NodeDevice };
  /** `event` of `SecretEventLifecycleType`; `detail`: not used so far. */
  'secret-lifecycle': { secret: Secret; event: number; detail: number };
  'secret-value-changed': { secret: Secret };
}
