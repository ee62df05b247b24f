import type { SnapshotMethod } from '../../lib';

export const plugIn: SnapshotMethod<Record<string, never>, { image: string; clone: string }>;
