// libvirt's test driver: in this process, with one running guest called 'test'. A fixture per test file.
import { afterAll, beforeAll } from '@jest/globals';
import { type Connection, connect, type Domain } from '../../lib/libvirt';

export interface TestDriver {
  readonly connection: Connection;
  readonly domain: Domain;
}

/** Opens it before the tests of a file, and closes it after them. */
export function testDriver(): TestDriver {
  let connection: Connection;
  let domain: Domain;
  beforeAll(async () => {
    connection = await connect('test:///default');
    domain = await connection.domainLookupByName('test');
  });
  afterAll(() => connection.close());
  return {
    get connection() {
      return connection;
    },
    get domain() {
      return domain;
    },
  };
}

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('was not rejected');
}
