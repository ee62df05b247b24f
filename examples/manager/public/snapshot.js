// One point on a guest's line.
import { ask } from './ask.js';
import { keyed, part, text } from './dom.js';
import { ago, at, bytes, CONSISTENCY } from './words.js';

/** `act(method, path, body)` calls the service for this guest, and shows what it says against it. */
export function snapshotPart(first, guest, act) {
  const it = part('snapshot');
  let snapshot = first;
  const path = () => `/snapshots/${encodeURIComponent(snapshot.name)}`;
  const disks = keyed(it.disks, ({ disk }) => {
    const root = document.createElement('button');
    root.type = 'button';
    root.className = 'chip';
    root.addEventListener('click', async () => {
      const ticket = await act('POST', `${path()}/disks/${encodeURIComponent(disk)}/download`);
      if (ticket) location.assign(ticket.path);
    });
    return {
      root,
      update({ state, size }) {
        const missing = state === 'missing';
        root.dataset.state = state;
        text(root, missing ? `${disk} is missing` : `↓ ${disk} ${bytes(size)}`);
        root.disabled = missing || !guest().usable;
        root.setAttribute('aria-label', missing ? `${disk} is missing` : `Download ${disk} of ${snapshot.name}`);
      },
    };
  });
  it.delete.addEventListener('click', async () => {
    const agreed = await ask({
      title: `Delete ${snapshot.name}?`,
      text: `${guest().name} goes on as it is. The state of ${at(snapshot.createdAt)} cannot be had again.`,
      yes: 'Delete',
    });
    if (agreed) await act('DELETE', path());
  });
  it.revert.addEventListener('click', async () => {
    const off = guest().state === 'shutoff';
    const agreed = await ask({
      title: `Take ${guest().name} back to ${snapshot.name}?`,
      text: `What was written since ${at(snapshot.createdAt)} is lost.${off ? '' : ' The guest is stopped without being asked, and started again.'}`,
      yes: off ? 'Go back' : 'Stop and go back',
    });
    if (agreed) await act('POST', `${path()}/revert`, { force: !off });
  });
  return {
    root: it.root,
    update(value) {
      snapshot = value;
      const { name, createdAt, consistency, frozenMs, nightly } = snapshot;
      text(it.time, ago(createdAt));
      it.time.dateTime = createdAt;
      it.time.title = at(createdAt);
      text(it.name, name);
      it.nightly.hidden = !nightly;
      const frozen = frozenMs > 0 ? `, frozen for ${Math.round(frozenMs)} ms` : '';
      text(it.consistency, `${CONSISTENCY[consistency] ?? consistency}${frozen}`);
      disks(snapshot.disks.map((disk) => [disk.disk, disk]));
      for (const [button, what] of [
        [it.revert, 'Go back to'],
        [it.delete, 'Delete'],
      ]) {
        button.disabled = !guest().usable || guest().busy;
        button.setAttribute('aria-label', `${what} ${name}`);
      }
    },
  };
}
