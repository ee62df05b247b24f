// What is measured: what each client does in a slice, how often, where; and what we want of the time of others.

export const OURS = 'libvirt-disksnapshot';
const RAW = 'raw C';
const PYTHON = 'python3-libvirt';
const PEER = '@unraid/libvirt';
const ALL = [RAW, PYTHON, PEER, OURS];
/** The npm peer has neither statistics nor events. */
const NOT_PEER = [RAW, PYTHON, OURS];

/** Of how many guests the cost of a call must not depend. */
const GROWTH = [1, 100, 10_000];

/**
 * `calls`: in a slice; what is told is the time of one. `per`: a call does that many things, and the time of one is told.
 * `goals`: how much of a client's time ours may take. `most`: microseconds that ours may take.
 */
export const ROWS = [
  {
    title: 'getInfo, awaited, over a socket',
    where: 'socket',
    program: 'awaited',
    calls: 500,
    clients: ALL,
    goals: { [PYTHON]: 1.15, [PEER]: 1 },
  },
  {
    title: 'getInfo, 64 in flight, over a socket',
    where: 'socket',
    program: 'pipelined',
    calls: 1920,
    clients: ALL,
    goals: { [RAW]: 1 / 0.95, [PEER]: 1 },
  },
  {
    title: 'getInfo, awaited, in process',
    where: 'process',
    program: 'awaited',
    calls: 3000,
    clients: ALL,
    goals: { [PEER]: 1 },
  },
  {
    title: 'getInfo, 64 in flight, in process',
    where: 'process',
    program: 'pipelined',
    calls: 9600,
    clients: ALL,
    goals: { [PEER]: 1 },
  },
  {
    title: 'list of 1,000 guests, over a socket',
    where: 'socket1000',
    program: 'list',
    calls: 10,
    clients: ALL,
    goals: { [PYTHON]: 1, [PEER]: 1 },
  },
  {
    title: 'statistics of 1,000 guests, over a socket',
    where: 'socket1000',
    program: 'stats',
    calls: 5,
    clients: NOT_PEER,
    goals: { [PYTHON]: 1 },
  },
  {
    title: 'statistics of 1,000 guests, in process',
    where: 'process1000',
    program: 'stats',
    calls: 10,
    clients: NOT_PEER,
    goals: { [PYTHON]: 1 },
  },
  {
    title: 'an event, made by a call and told, in process',
    where: 'process',
    program: 'events',
    calls: 2000,
    clients: NOT_PEER,
    most: 100, // 10,000 in a second
  },
  {
    title: 'download of a volume, each MiB',
    where: 'storage',
    program: 'download',
    calls: 1,
    per: 256,
    clients: ['virsh', OURS],
    goals: { virsh: 1 / 0.9 },
  },
  ...GROWTH.map((guests) => ({
    title: `getInfo, awaited, one of ${guests.toLocaleString('en')}`,
    where: `process${guests}`,
    program: 'awaited',
    calls: 3000,
    clients: [RAW, OURS],
  })),
  ...GROWTH.map((guests) => ({
    title: `list of ${guests.toLocaleString('en')}, each guest`,
    where: `process${guests}`,
    program: 'list',
    calls: Math.ceil(10_000 / guests),
    per: guests,
    clients: [RAW, OURS],
  })),
];
