// The mirror: libvirt's own objects and functions, one to one, typed.
import { installMembers } from './members';

export type * from './bandwidth';
export type { CloseReason } from './close-signal';
export { type AuthCallback, type AuthCredential, type ConnectOptions, connect, getVersion } from './connect';
export {
  type ConnectIdentity,
  Connection,
  type NodeCPUMap,
  type NodeInfo,
  type NodeMemoryParameters,
  type SecurityModel,
} from './connection';
export {
  Domain,
  type DomainStats,
} from './domain';
export { DomainCheckpoint } from './domain-checkpoint';
export type * from './domain-info';
export type * from './domain-params';
export { DomainSnapshot } from './domain-snapshot';
export { type Flag, nameOf, type Value } from './enum';
export { LibvirtError } from './errors';
export type { DomainEvents, EventNameOf, GraphicsAddress } from './events';
export * from './generated/constants';
export { Interface } from './interface';
export { Network, type NetworkDHCPLease } from './network';
export { NetworkPort, type NetworkPortParameters } from './network-port';
export { NodeDevice } from './node-device';
export type { NodeStreamOptions } from './node-stream';
export { NWFilter } from './nwfilter';
export { NWFilterBinding } from './nwfilter-binding';
export type {
  AgentFlagsArg,
  AgentOptions,
  CallOptions,
  Flags,
  FlagsArg,
  FlagsOptions,
  TypedParams,
  TypedValue,
} from './options';
export { Secret } from './secret';
export { StoragePool, type StoragePoolInfo } from './storage-pool';
export { StorageVol, type StorageVolInfo } from './storage-vol';
export { type Hole, Stream, type StreamChunk } from './stream';
export type { OwnSubscribeOptions, SubscribeOptions, Subscription } from './subscription';
export type * from './told';
export type { CallTrace } from './trace';

installMembers();
