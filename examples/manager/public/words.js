// What libvirt and the service call things, in the words of the page.

export const HOST_STATES = { connecting: 'connecting', up: 'connected', down: 'not connected' };

export const GUEST_STATES = {
  running: 'running',
  shutoff: 'off',
  paused: 'paused',
  shutdown: 'shutting down',
  crashed: 'crashed',
  pmsuspended: 'asleep',
};

export const CONSISTENCY = {
  filesystem: 'File systems at rest',
  crash: 'As after a power failure',
  disk: 'Each disk by itself',
};

export const KINDS = {
  snapshot: 'Snapshot',
  nightly: 'Nightly snapshot',
  delete: 'Deleting',
  revert: 'Going back',
  download: 'Download',
};

export const PHASES = {
  plan: 'looking at the disks',
  record: 'writing it down',
  prepare: 'preparing new layers',
  quiesce: 'freezing file systems',
  pause: 'pausing the guest',
  cut: 'cutting the disks',
  resume: 'resuming the guest',
  thaw: 'thawing',
  verify: 'checking the result',
  commit: 'merging',
  copy: 'copying',
  clean: 'tidying up',
};

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytes(count) {
  const power = count < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(count) / 10));
  const value = count / 2 ** (10 * power);
  return `${value < 10 && power > 0 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)} ${UNITS[power]}`;
}

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const absolute = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });
const STEPS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

export function ago(time) {
  const seconds = (Date.now() - Date.parse(time)) / 1000;
  const [unit, length] = STEPS.find(([, each]) => seconds >= each) ?? [];
  return unit ? relative.format(-Math.floor(seconds / length), unit) : 'just now';
}

export const at = (time) => absolute.format(new Date(time));
export const clock = (time) => new Date(time).toLocaleTimeString('en', { hour12: false });
