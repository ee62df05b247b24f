// This package.
import { createRequire } from 'node:module';
import { serve } from './serve.mjs';

const { connect } = createRequire(import.meta.url)('../../dist');
const connection = await connect(process.argv[2]);
const domain = await connection.domainLookupByName('test');
await serve(() => domain.getInfo());
await connection.close();
