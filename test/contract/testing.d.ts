// The API for tests, subpath 'libvirt-disksnapshot/testing', as promised.
import type { Connection, Domain } from './index.js';
export interface GuestOptions {
  disks?: number;
  memoryMiB?: number;
  vcpus?: number;
  connection?: Connection;
  signal?: AbortSignal;
}
export declare class TestGuest implements AsyncDisposable {
  private constructor();
  static boot(options?: GuestOptions): Promise<TestGuest>;
  readonly domain: Domain;
  readonly connection: Connection;
  readonly directory: string;
  exec(
    argv: readonly string[],
    options?: { input?: string; timeoutMs?: number },
  ): Promise<{ exitCode: number; stdout: string; stderr: string }>;
  /** Back to the state of boot(): memory and disks. */
  restore(): Promise<void>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
export declare function withSnapshot<T>(domain: Domain, fn: (domain: Domain) => Promise<T>): Promise<T>;
