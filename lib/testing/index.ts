// libvirt-disksnapshot/testing: real, throw-away guests for integration tests.
export type { ExecOptions, ExecResult } from './agent';
export type { RunResult } from './command';
export type { GuestDisk } from './guest-disks';
export { guestForTests, type Hook, type LimitedHook, type RunnerHooks } from './guest-for-tests';
export {
  GuestWriter,
  type Shell,
  startInstantWriter,
  startWriter,
  TickWriter,
  type WriterOptions,
} from './guest-writers';
export { type ImageVerdict, readFileFromImage, verifyConsistency } from './image-check';
export { PrivateLibvirtd, type PrivateLibvirtdOptions } from './private-libvirtd';
export { type GuestOptions, TestGuest } from './test-guest';
export { GuestRestoredError } from './under-way';
export { type WithSnapshotOptions, withSnapshot } from './with-snapshot';
