// One operation in a process of its own, as it was built. At every fault point it tells its parent, and waits for an answer:
// "go", or "deadline": it goes on when the call's own time, which its parent has set, is over.
const { once } = require('node:events');
const { answerTo } = require('./answer');
const { plugIn } = require('./plug-in');
const { connect, findDiskSnapshot, quiesceStorage, registerSnapshotMethod, snapshotDisks } = require('../../dist');
const { installFaultHook } = require('../../dist/disk-snapshot/fault-point');

const [uri, guest, order] = process.argv.slice(2);
const { does, disks, quiesce, timeoutMs } = JSON.parse(order);
const maxFreezeMs = 60_000; // what is tried here is not the budget
const name = 'cell';
/** Of the call that is under way. It begins a moment after that of the call, and so ends after it. */
let deadline = null;

function within(call) {
  if (timeoutMs === null) return call({});
  const running = call({ timeoutMs });
  deadline = AbortSignal.timeout(timeoutMs);
  return running;
}

const OPERATIONS = {
  freeze: async (domain) => {
    const held = await within((call) => quiesceStorage(domain, { maxFreezeMs, ...call }));
    await within((call) => held.unquiesce(call));
  },
  snapshot: (domain) => within((call) => snapshotDisks(domain, { name, disks, quiesce, maxFreezeMs, ...call })),
  delete: async (domain) => {
    const set = await findDiskSnapshot(domain, name);
    await within((call) => set.delete(call));
  },
  revert: async (domain) => {
    const set = await findDiskSnapshot(domain, name);
    await within((call) => set.revert({ force: true, ...call }));
  },
};

/** Its timer does not hold this process, and neither may anything else at that point. */
async function deadlineOver() {
  const awake = setInterval(() => undefined, 1000);
  if (!deadline.aborted) await once(deadline, 'abort');
  clearInterval(awake);
}

registerSnapshotMethod(plugIn);
installFaultHook(async (point) => {
  if ((await answerTo(point)) === 'deadline') await deadlineOver();
});

void (async () => {
  let report = { ended: 'well' };
  const connection = await connect(uri);
  try {
    await OPERATIONS[does](await connection.domainLookupByName(guest));
  } catch (error) {
    const { name: kind, code, outcome, message } = error;
    report = { ended: 'badly', kind, code, outcome, message };
  }
  process.send(report, () => process.exit());
})();
