// What SECURITY.md promises of the source itself: no shell, and no credentials where others can read them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const LIB = join(__dirname, '..', '..', 'lib');
/** The throw-away guests bring scripts of their own; nothing that callers pass gets into those. */
const sources = readdirSync(LIB, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.startsWith('testing'))
  .map((name) => ({ name, text: readFileSync(join(LIB, name), 'utf8') }));

describe('the library', () => {
  test('starts programs with argument vectors, never through a shell', () => {
    expect(sources.length).toBeGreaterThan(50);
    for (const { name, text } of sources) {
      for (const [, names = ''] of text.matchAll(/import \{([^}]*)\} from 'node:child_process'/g)) {
        const imported = names.split(',').map((one) => one.replace('type ', '').trim());
        expect({ name, shells: imported.filter((one) => one === 'exec' || one === 'execSync') }).toEqual({
          name,
          shells: [],
        });
      }
      expect({ name, shell: /\bshell\s*:\s*(?!false)/.test(text) }).toEqual({ name, shell: false });
      expect({ name, whole: /(require\(|from )'(node:)?child_process'\)?(?!;)/.test(text) }).toEqual({
        name,
        whole: false,
      });
    }
  });

  test('starts the guard with its program as the only argument: what it must know goes through a pipe', () => {
    const guard = sources.find(({ name }) => name === join('disk-snapshot', 'guard', 'guard.ts'));
    expect(guard?.text).toContain('spawn(process.execPath, [program()], ');
  });

  test('prints nothing', () => {
    const outside = sources.filter(({ name }) => !name.startsWith('cli'));
    for (const { name, text } of outside) {
      const code = text.replace(/^\s*(\/\/|\*|\/\*\*).*$/gm, '');
      expect({
        name,
        prints: /\bconsole\.\w+\(|process\.(stdout|stderr)\.write/.test(code) && !name.includes('guard'),
      }).toEqual({
        name,
        prints: false,
      });
    }
  });
});
