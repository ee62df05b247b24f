// Vitest's fixtures: one guest for each file of tests, pristine for each test that asks for it.
import { TestGuest } from 'libvirt-disksnapshot/testing';
import { test as base } from 'vitest';

export const test = base.extend({
  machine: [
    // biome-ignore lint/correctness/noEmptyPattern: Vitest reads the fixtures that are needed from the pattern
    async ({}, use) => {
      const machine = await TestGuest.boot({ disks: 2 });
      await use(machine);
      await machine.close();
    },
    { scope: 'file' },
  ],
  guest: async ({ machine, onTestFailed }, use) => {
    onTestFailed(async () => console.log(await machine.console()));
    await use(machine);
    await machine.restore();
  },
});
