// One operation in a process of its own, as it was built. At every fault point it tells its parent, and waits for an answer:
// "go", or "deadline", as if the caller's time were over just then.
const { answerTo } = require('./answer');
const { connect, findDiskSnapshot, quiesceStorage, snapshotDisks } = require('../../dist');
const { installFaultHook } = require('../../dist/disk-snapshot/fault-point');

const [uri, guest, operation] = process.argv.slice(2);
const deadline = new AbortController();
const { signal } = deadline;
const maxFreezeMs = 60_000; // what is tried here is not the budget
const name = 'cell';

const OPERATIONS = {
  freeze: async (domain) => {
    const held = await quiesceStorage(domain, { maxFreezeMs, signal });
    await held.unquiesce();
  },
  snapshot: (domain) => snapshotDisks(domain, { name, quiesce: 'required', maxFreezeMs, signal }),
  'snapshot, mixed': (domain) =>
    snapshotDisks(domain, {
      name,
      disks: { vda: 'qemu', vdb: { method: 'qemu', mode: 'internal' } },
      quiesce: 'never',
      signal,
    }),
  delete: async (domain) => (await findDiskSnapshot(domain, name)).delete({ signal }),
  revert: async (domain) => (await findDiskSnapshot(domain, name)).revert({ force: true, signal }),
};
OPERATIONS['delete, mixed'] = OPERATIONS.delete;
OPERATIONS['revert, mixed'] = OPERATIONS.revert;

installFaultHook(async (point) => {
  if ((await answerTo(point)) === 'deadline') deadline.abort(new DOMException('the time is over', 'TimeoutError'));
});

void (async () => {
  let report = { ended: 'well' };
  const connection = await connect(uri);
  try {
    await OPERATIONS[operation](await connection.domainLookupByName(guest));
  } catch (error) {
    const { name: kind, code, outcome, message } = error;
    report = { ended: 'badly', kind, code, outcome, message };
  }
  process.send(report, () => process.exit());
})();
