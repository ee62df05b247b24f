// The mirror: libvirt's own objects and functions, one to one, typed.
import { installMembers } from './members';

export type { CloseReason } from './close-signal';
export { type AuthCallback, type AuthCredential, type ConnectOptions, connect, getVersion } from './connect';
export { Connection, type NodeInfo } from './connection';
export {
  type BlockCopyParams,
  type BlockIoTune,
  type BlockJobInfo,
  Domain,
  type DomainBlockInfo,
  type DomainControlInfo,
  type DomainDiskError,
  type DomainFSInfo,
  type DomainInfo,
  type DomainJobInfo,
  type DomainStats,
} from './domain';
export { DomainSnapshot } from './domain-snapshot';
export { type Flag, nameOf, type Value } from './enum';
export { LibvirtError } from './errors';
export type { DomainEvents } from './events';
export * from './generated/constants';
export type { NodeStreamOptions } from './node-stream';
export type { AgentFlagsArg, CallOptions, FlagsArg, FlagsOptions, TypedParams, TypedValue } from './options';
export { StoragePool, type StoragePoolInfo } from './storage-pool';
export { StorageVol, type StorageVolInfo } from './storage-vol';
export { type Hole, Stream, type StreamChunk } from './stream';
export type { SubscribeOptions, Subscription } from './subscription';
export type { CallTrace } from './trace';

installMembers();
