// This package.
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { download } from './download.mjs';
import { serve } from './serve.mjs';

const { connect } = createRequire(import.meta.url)('../../dist');
const uri = process.argv[2];
const connection = await connect(uri);
const domain = uri.startsWith('test') ? await connection.domainLookupByName('test') : undefined;

/** Each pause and each resume is told; the slice ends with the last of them. */
async function events(calls) {
  const subscription = await connection.subscribe('lifecycle', { domain });
  let told = 0;
  const all = new EventTarget();
  const end = once(all, 'end');
  subscription.on(() => {
    if (++told === calls) all.dispatchEvent(new Event('end'));
  });
  for (let i = 0; i < calls; i += 2) {
    await domain.suspend();
    await domain.resume();
  }
  await end;
  await subscription[Symbol.asyncDispose]();
}

await serve({
  getInfo: () => domain.getInfo(),
  list: () => connection.listAllDomains(),
  stats: () => connection.getAllDomainStats(),
  events,
  download: () => download(uri),
});
await connection.close();
