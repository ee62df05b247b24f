// Loads the addon; the only file that does.

declare const rawHandle: unique symbol;
/** A native handle: an External with the addon's tag. */
export interface RawHandle {
  readonly [rawHandle]: never;
}
