// The configuration file: checked as a whole before anything begins, so that a slip of the pen is told in words.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Cron } from 'croner';

export interface HostConfig {
  name: string;
  uri: string;
  /** Names of guests with nightly snapshots, whatever their metadata say. */
  nightly: readonly string[];
}

export interface Config {
  listen: { host: string; port: number };
  /** Names by which browsers may call this service, beside `localhost` and addresses. */
  names: readonly string[];
  /** Whoever knows it may act; anybody who reaches the port may look. */
  token: string;
  /** `schedule` is a cron pattern, in the time zone of this machine. */
  nightly: { schedule: string; keep: number };
  hosts: readonly HostConfig[];
}

/** Reads the file. The token may come from the environment, `MANAGER_TOKEN`, and is random where nobody gives one. */
export async function readConfig(path: string): Promise<Config> {
  const text = await readFile(path, 'utf8');
  try {
    return parseConfig(JSON.parse(text));
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : error}`);
  }
}

export function parseConfig(value: unknown): Config {
  const top = object(value, 'the configuration', ['listen', 'names', 'token', 'nightly', 'hosts']);
  const listen = object(top.listen ?? {}, 'listen', ['host', 'port']);
  const nightly = object(top.nightly ?? {}, 'nightly', ['schedule', 'keep']);
  const hosts = list(top.hosts, 'hosts').map((each, index) => {
    const host = object(each, `hosts[${index}]`, ['name', 'uri', 'nightly']);
    return {
      name: string(host.name, `hosts[${index}].name`),
      uri: string(host.uri, `hosts[${index}].uri`),
      nightly: strings(host.nightly, `hosts[${index}].nightly`),
    };
  });
  const twice = hosts.find((host, index) => hosts.findIndex(({ name }) => name === host.name) !== index);
  if (twice) throw new TypeError(`two hosts are called ${twice.name}`);
  return {
    listen: {
      host: string(listen.host ?? '127.0.0.1', 'listen.host'),
      port: integer(listen.port ?? 8080, 'listen.port', 0),
    },
    names: strings(top.names, 'names'),
    token: string(top.token ?? process.env.MANAGER_TOKEN ?? randomBytes(24).toString('base64url'), 'token'),
    nightly: {
      schedule: pattern(nightly.schedule ?? '0 2 * * *', 'nightly.schedule'),
      keep: integer(nightly.keep ?? 7, 'nightly.keep', 1),
    },
    hosts,
  };
}

function object(value: unknown, name: string, keys: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(name, 'an object');
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw new TypeError(`${name} has no ${unknown}; it has ${keys.join(', ')}`);
  return { ...value };
}

function list(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw wrong(name, 'a list');
  return value;
}

function strings(value: unknown, name: string): string[] {
  return list(value ?? [], name).map((each) => string(each, `every entry of ${name}`));
}

function string(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') throw wrong(name, 'a text');
  return value;
}

function integer(value: unknown, name: string, least: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least) {
    throw wrong(name, `a whole number from ${least}`);
  }
  return value;
}

function pattern(value: unknown, name: string): string {
  const text = string(value, name);
  new Cron(text, { paused: true }); // throws where it is none
  return text;
}

const wrong = (name: string, wanted: string) => new TypeError(`${name} must be ${wanted}`);
