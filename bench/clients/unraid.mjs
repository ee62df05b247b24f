// @unraid/libvirt, from the folder that the bench installed it into.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { serve } from './serve.mjs';

const [folder, uri] = process.argv.slice(2);
const { Hypervisor } = await import(pathToFileURL(join(folder, 'node_modules/@unraid/libvirt/dist/index.js')).href);
const hypervisor = new Hypervisor({ uri });
await hypervisor.connectOpen();
const domain = await hypervisor.domainLookupByName('test');
// It has no statistics.
await serve({ getInfo: () => domain.getInfo(), list: () => hypervisor.connectListAllDomains() });
await hypervisor.connectClose();
