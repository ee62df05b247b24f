// One guest: its state, its snapshots on a line from now into the past, and what can be done with it.
import { keyed, notice, part, text } from './dom.js';
import { operationPart } from './operation.js';
import { call, guestPath, hasToken } from './service.js';
import { snapshotPart } from './snapshot.js';
import { GUEST_STATES, KINDS } from './words.js';

const UNDER_WAY = new Set(['running', 'cancelling']);
/** Reading disturbs nobody. */
const CHANGES = new Set(['snapshot', 'nightly', 'delete', 'revert']);

/** `dismiss(operation)` takes one that has ended off the page. */
export function guestPart(first, { dismiss }) {
  const it = part('guest');
  let guest = { ...first.guest, usable: false, busy: false };
  let refusal = null;
  const show = () => notice(it.problem, refusal ?? guest.problem);

  async function act(method, path, body) {
    try {
      refusal = null;
      return await call(method, `${guestPath(guest)}${path}`, body);
    } catch (error) {
      refusal = `That did not work: ${error.message}`;
      return null;
    } finally {
      show();
    }
  }

  it.take.addEventListener('click', () => act('POST', '/snapshots', { quiesce: it.quiesce.value }));
  it.nightly.addEventListener('change', async () => {
    const done = await act('PUT', '/nightly', { enabled: it.nightly.checked });
    if (done === null && refusal) it.nightly.checked = guest.nightly;
  });
  const snapshots = keyed(it.snapshots, (snapshot) => snapshotPart(snapshot, () => guest, act));
  const operations = keyed(it.operations, (operation) =>
    operationPart(operation, { cancel: ({ id }) => call('DELETE', `/api/operations/${id}`).catch(() => {}), dismiss }),
  );
  return {
    root: it.root,
    update({ guest: now, operations: ours, hostUp }) {
      const busy = ours.some(({ state, kind }) => UNDER_WAY.has(state) && CHANGES.has(kind));
      guest = { ...now, busy, usable: hostUp && hasToken() };
      text(it.name, guest.name);
      it.root.setAttribute('aria-label', guest.name);
      text(it.state, GUEST_STATES[guest.state] ?? guest.state);
      it.state.dataset.state = guest.state;
      it.nightly.checked = guest.nightly;
      it.nightly.disabled = !guest.usable || guest.nightlyByConfiguration;
      it.nightly.parentElement.title = guest.nightlyByConfiguration
        ? 'The configuration of the service asks for it'
        : '';
      it.take.disabled = it.quiesce.disabled = !guest.usable || busy;
      it.take.setAttribute('aria-label', `Take snapshot of ${guest.name}`);
      it.quiesce.setAttribute('aria-label', `Freeze ${guest.name}`);
      it.nightly.setAttribute('aria-label', `Nightly snapshots of ${guest.name}`);
      operations(ours.map((operation) => [operation.id, operation]));
      snapshots([...guest.snapshots].reverse().map((snapshot) => [snapshot.name, snapshot]));
      it.empty.hidden = guest.snapshots.length > 0;
      show();
    },
  };
}

/** For those who hear the page. */
export const spoken = ({ kind, guestName, state, message }) =>
  `${guestName}: ${KINDS[kind]} ${state}${message ? `. ${message}` : ''}`;
