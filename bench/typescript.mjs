// Lets benchmarks use the fixtures of the tests, which are TypeScript.
import { readFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { join } from 'node:path';
import { transformSync } from '@swc/core';
import { root } from '../scripts/process.mjs';

const lib = join(root, 'lib', 'index.ts');
const resolve = Module._resolveFilename;
Module._resolveFilename = (name, ...rest) => (name === 'libvirt-disksnapshot' ? lib : resolve(name, ...rest));
Module._extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
  });
  module._compile(code, filename);
};

/** `require` of a TypeScript file, by its path from the root of the repository. */
export const load = (path) => createRequire(import.meta.url)(join(root, path));
