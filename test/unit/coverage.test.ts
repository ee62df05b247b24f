// Every public function of libvirt has a member, or a reason why there is none.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { native } from '../../lib/native';
import { apiFunctions } from './libvirt-api';

const scripts = join(__dirname, '..', '..', 'scripts');
const run = (script: string, ...args: string[]) =>
  execFileSync(process.execPath, [join(scripts, script), ...args], { encoding: 'utf8' });

interface Line {
  function: string;
  member: string | null;
  reason: string | null;
}

describe('npm run coverage', () => {
  const lines: Line[] = JSON.parse(run('coverage.mjs', '--json'));

  test('has a line for each public function, of this libvirt and of newer ones', () => {
    expect(lines.map((line) => line.function).sort()).toEqual([...apiFunctions.keys()].sort());
    expect(lines.map((line) => line.function)).toEqual(
      expect.arrayContaining(['virDomainCreate', 'virNetworkSetMetadata']),
    );
  });

  test('has a member or a reason for each, and not both', () => {
    expect(lines.filter(({ member, reason }) => (member === null) === (reason === null))).toEqual([]);
  });

  test('names the member of each function that is bound', () => {
    const unnamed = lines.filter(({ member }) => member === null).map((line) => line.function);
    expect(native.functions.map(({ name }) => name).filter((name) => unnamed.includes(name))).toEqual([]);
  });
});

test('constants and parameter names are what their generator makes of the description', () => {
  expect(run('generate-constants.mjs', '--check')).toBe('');
});
