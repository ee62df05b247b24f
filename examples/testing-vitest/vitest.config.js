import { defineConfig } from 'vitest/config';

// An emulated guest on a busy machine takes a while to boot.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 180_000 } });
