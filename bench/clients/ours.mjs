// This package.
import { createRequire } from 'node:module';
import { serve } from './serve.mjs';

const { connect } = createRequire(import.meta.url)('../../dist');
const connection = await connect(process.argv[2]);
const domain = await connection.domainLookupByName('test');
await serve({
  getInfo: () => domain.getInfo(),
  list: () => connection.listAllDomains(),
  stats: () => connection.getAllDomainStats(),
});
await connection.close();
