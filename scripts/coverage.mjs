// What becomes of each public function of libvirt in JavaScript: one line per C function of libvirt's own description
// (the installed one's, and what newer ones have), with its member or the reason why there is none. `--json`: the same as JSON.
//   npm run --silent coverage
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { description } from './libvirt-api.mjs';

const require = createRequire(import.meta.url);
const { native } = require('../dist/native.js');
const { memberName } = require('../dist/libvirt/member-name.js');

/** Functions that stand behind another name than their own. */
const ELSEWHERE = [
  [/^virConnectOpen(Auth|ReadOnly)?$/, 'connect'],
  [/^virConnectClose$/, 'Connection.close'],
  [/^virConnectSetKeepAlive$/, 'connect({ keepAlive })'],
  [/^virConnect(Unr|R)egisterCloseCallback$/, 'Connection.closed'],
  [/^virConnect\w*Event(Dereg|Reg)ister(Any)?$/, 'Connection.subscribe'],
  [/^virGetVersion$/, 'getVersion'],
  [/^vir(DomainSnapshot|DomainCheckpoint)GetDomain$/, (name) => `${name.slice(3, -9)}.domain`],
  [/^virNetworkPortGetNetwork$/, 'NetworkPort.network'],
  [/^vir\w+GetConnect$/, (name) => `${name.slice(3, -10)}.connection`],
  [/^virStreamEvent\w+Callback$|^virStream(Sparse)?(Recv|Send)All$/, 'Stream.readable, Stream.writable, Stream.duplex'],
];

/** Functions that JavaScript has no use for, and why. */
const LEFT_OUT = [
  [
    /^vir\w+(Ref|Free)$|^virDomainStatsRecordListFree$/,
    'reference counting: handles and results are JavaScript values',
  ],
  [/^virTypedParams/, 'typed parameters are objects'],
  [/^virEvent/, 'the event loop belongs to the addon'],
  [/^virInitialize$/, 'libvirt is initialised by the first call'],
  [/LastError|^vir(Reset|Free)Error$|ErrorFunc$/, 'an error is what a promise rejects with'],
];

/** @returns {{ function: string, member: string | null, reason: string | null }[]} */
export function coverage() {
  const members = new Map(
    native.functions.map((fn) => [fn.name, `${fn.receiver}.${memberName(fn.name, fn.receiver)}`]),
  );
  return [...description().matchAll(/<function name='(\w+)'/g)].map(([, name]) => {
    const elsewhere = ELSEWHERE.find(([pattern]) => pattern.test(name))?.[1] ?? null;
    const member = members.get(name) ?? (typeof elsewhere === 'function' ? elsewhere(name) : elsewhere);
    const reason = member === null ? (LEFT_OUT.find(([pattern]) => pattern.test(name))?.[1] ?? null) : null;
    return { function: name, member, reason };
  });
}

if (import.meta.filename === process.argv[1]) {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
  const lines = coverage();
  if (values.json) console.log(JSON.stringify(lines, null, 2));
  else for (const line of lines) console.log(`${line.function}  ${line.member ?? `– ${line.reason ?? 'NOTHING'}`}`);
  process.exitCode = lines.some(({ member, reason }) => member === null && reason === null) ? 1 : 0;
}
