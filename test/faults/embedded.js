// The embedded driver in a process that dies: it boots a guest, and waits to be killed between QEMU's transaction and the driver's own note
// of it; a second process, with the word "recover", opens the same root, recovers, and prints what is true then.
const { mkdirSync, writeFileSync } = require('node:fs');
const { connect, DomainCreateFlags, listDiskSnapshots, recoverDiskSnapshots, snapshotDisks } = require('../../dist');
const { installFaultHook } = require('../../dist/disk-snapshot/fault-point');
const { liveChain } = require('../../dist/disk-snapshot/images/backing-chain');
const { readJournal } = require('../../dist/disk-snapshot/records/journal');
const { agentCommand, guestExec } = require('../../dist/testing/agent');
const { createDisks } = require('../../dist/testing/guest-disks');
const { guestImage } = require('../../dist/testing/guest-image');
const { startAndWait } = require('../../dist/testing/guest-ready');
const { guestXml } = require('../../dist/testing/guest-xml');
const { qemuConf } = require('../../dist/testing/qemu-conf');
const { readDomain } = require('../../dist/xml/domain');
const { answerTo } = require('./answer');

const [directory, what] = process.argv.slice(2);
const uri = `qemu:///embed?root=${directory}/root`;
// Folders where the driver's new files would lie.
const obstacles = ['run', 'etc'].map((folder) => `${directory}/root/${folder}/qemu/embedded.xml.new`);
const WRITE = 'cd /mnt/a; head -c 100000 /dev/urandom | base64 >before; sha256sum before >before.sums; sync';

async function die() {
  mkdirSync(`${directory}/root/etc`, { recursive: true });
  writeFileSync(`${directory}/root/etc/qemu.conf`, qemuConf());
  const connection = await connect(uri);
  const console = `${directory}/console.log`;
  const xml = guestXml({
    name: 'embedded',
    uuid: crypto.randomUUID(),
    accelerator: 'qemu',
    memoryMiB: 192,
    vcpus: 1,
    kernel: await guestImage(),
    disks: await createDisks([{}], directory, 'embedded'),
    console,
    agentSocket: `${directory}/agent`,
  });
  const domain = await connection.domainDefineXML(xml);
  const startPaused = async () => {
    await domain.createWithFlags(DomainCreateFlags.START_PAUSED);
    return domain;
  };
  await startAndWait({ console, agent: true, timeoutMs: 120_000, signal: undefined, startPaused });
  await guestExec(domain, ['sh', '-c', WRITE]);
  installFaultHook(async (point) => {
    if (point === 'snapshot.prepared') for (const folder of obstacles) mkdirSync(folder);
    await answerTo(point);
  });
  await snapshotDisks(domain, { name: 'cell', quiesce: 'required' });
}

async function recover() {
  const connection = await connect(uri);
  const domain = await connection.domainLookupByName('embedded');
  const disk = async () => readDomain(await domain.getXMLDesc()).disks[0];
  const top = async () => (await liveChain(domain, await disk()))[0].path;
  const answer = () => agentCommand(domain, 'guest-fsfreeze-status', undefined, 5).catch(answer);
  const thawed = await answer(); // without anybody's help
  const ahead = [(await disk()).sourcePath, await top()];
  const recovery = await recoverDiskSnapshots(domain);
  const { stdout } = await guestExec(domain, ['sh', '-c', 'cd /mnt/a; echo on >now; sync; sha256sum -c before.sums']);
  const { intents, claims } = await readJournal(domain);
  const sets = await listDiskSnapshots(domain);
  const left = intents.length + claims.length + sets.length;
  process.stdout.write(
    JSON.stringify({ thawed, ahead, recovery, now: [(await disk()).sourcePath, await top()], stdout, left }),
  );
  await domain.destroy();
  await domain.undefine();
  await connection.close();
}

void (what === 'recover' ? recover() : die());
