// What a person writes is checked as a whole before anything begins.
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parseConfig, readConfig } from '../src/config.ts';

const hosts = [{ name: 'a', uri: 'test:///default' }];

test('the defaults: this machine alone, two at night, a week, a token that nobody guesses', () => {
  const config = parseConfig({ hosts });
  expect(config).toMatchObject({
    listen: { host: '127.0.0.1', port: 8080 },
    nightly: { schedule: '0 2 * * *', keep: 7 },
    hosts: [{ name: 'a', uri: 'test:///default', nightly: [] }],
  });
  expect(config.token).toHaveLength(32);
  expect(parseConfig({ hosts }).token).not.toBe(config.token);
});

test.each([
  [{ hosts: [...hosts, ...hosts] }, 'two hosts are called a'],
  [{ hosts, nigthly: {} }, 'the configuration has no nigthly; it has listen, names, token, nightly, hosts'],
  [{ hosts, nightly: { keep: 0 } }, 'nightly.keep must be a whole number from 1'],
  [{ hosts: [{ name: 'a' }] }, 'hosts[0].uri must be a text'],
  [{ hosts, nightly: { schedule: 'at night' } }, 'CronPattern'],
  [{}, 'hosts must be a list'],
])('%j is refused in words', (config, message) => {
  expect(() => parseConfig(config)).toThrow(message);
});

test('a file that is missing or no JSON is named', async () => {
  await expect(readConfig('/nowhere/config.json')).rejects.toThrow('/nowhere/config.json');
  await expect(readConfig(__filename)).rejects.toThrow(`${__filename}: `);
});

test('the example is valid, and the one that README.md shows', async () => {
  expect((await readConfig(`${__dirname}/../config.example.json`)).hosts).toHaveLength(2);
  const [, shown = ''] = /^```json\n(.*?)^```/ms.exec(readFileSync(`${__dirname}/../README.md`, 'utf8')) ?? [];
  expect(parseConfig(JSON.parse(shown)).hosts).toHaveLength(2);
});
