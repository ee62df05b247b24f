// The page follows the service's board: what changes there changes here, and nothing else does.
import { keyed, notice, part, text } from './dom.js';
import { guestPart, spoken } from './guest.js';
import { follow, hasToken, unlock } from './service.js';
import { clock, HOST_STATES } from './words.js';

const board = { hosts: new Map(), guests: new Map(), operations: new Map() };
const dismissed = new Set();
const ENDED = new Set(['done', 'failed', 'cancelled']);
const byId = (id) => document.getElementById(id);

function hostPart() {
  const it = part('host');
  const guests = keyed(it.guests, (guest) => guestPart(guest, { dismiss }));
  return {
    root: it.root,
    update(host) {
      const up = host.state === 'up';
      it.root.dataset.state = host.state;
      it.root.setAttribute('aria-label', `Host ${host.name}`);
      text(it.name, host.name);
      text(it.state, HOST_STATES[host.state]);
      it.state.dataset.state = host.state;
      const ours = [...board.guests.values()].filter((guest) => guest.host === host.name);
      ours.sort((a, b) => a.name.localeCompare(b.name));
      const stale = ours.length > 0 ? ' Below is what was last known.' : '';
      const next = host.retryAt ? ` Next attempt at ${clock(host.retryAt)}.` : '';
      notice(it.problem, host.state === 'down' ? `Not connected: ${host.problem}.${next}${stale}` : null);
      it.empty.hidden = !up || ours.length > 0;
      guests(ours.map((guest) => [guest.id, { guest, operations: operationsOf(guest), hostUp: up }]));
    },
  };
}

function operationsOf({ host, id }) {
  return [...board.operations.values()].filter(
    (operation) => operation.host === host && operation.guest === id && !dismissed.has(operation.id),
  );
}

const hosts = keyed(byId('hosts'), hostPart);
function render() {
  byId('unlock').hidden = hasToken();
  hosts([...board.hosts]);
}

function dismiss({ id }) {
  dismissed.add(id);
  render();
}

function take({ collection, key, value }) {
  if (value === null) board[collection].delete(key);
  else board[collection].set(key, value);
}

/** Of what has ended, the last word on a guest is enough. */
function onOperation({ value }) {
  if (!value || !ENDED.has(value.state)) return;
  for (const old of board.operations.values()) {
    if (old.guest === value.guest && old.id !== value.id && ENDED.has(old.state)) dismissed.add(old.id);
  }
  byId('said').textContent = spoken(value);
}

follow({
  onBoard(changes) {
    for (const collection of Object.values(board)) collection.clear();
    dismissed.clear(); // a service that was started anew counts from 1 again
    changes.forEach(take);
    for (const { id, state } of board.operations.values())
      if (ENDED.has(state) && state !== 'failed') dismissed.add(id);
    render();
  },
  onChanges(changes) {
    changes.forEach(take);
    for (const change of changes) if (change.collection === 'operations') onOperation(change);
    render();
  },
  onLink(open) {
    text(byId('link'), open ? 'Live' : 'The service does not answer. Trying again…');
    byId('link').dataset.state = open ? 'up' : 'down';
  },
});

byId('unlock').addEventListener('submit', async (event) => {
  event.preventDefault();
  const accepted = await unlock(byId('token').value).catch(() => false);
  byId('refused').hidden = accepted;
  byId('token').value = '';
  render();
});
addEventListener('locked', render);
setInterval(render, 30_000); // "3 minutes ago" grows old
