// The service: its events, and the calls behind the buttons. The token lives as long as the tab, and in no address.

const KEY = 'disk-snapshot-manager-token';

/** The address printed at the start carries the token behind a #, which no browser sends or keeps in a log. */
function takeFromAddress() {
  if (location.hash.length < 2) return;
  sessionStorage.setItem(KEY, location.hash.slice(1));
  history.replaceState(null, '', location.pathname);
}
takeFromAddress();

export const hasToken = () => sessionStorage.getItem(KEY) !== null;

/** True where the service takes it; it is kept then. */
export async function unlock(token) {
  const { status } = await fetch('/api/token', { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  if (status !== 204) return false;
  sessionStorage.setItem(KEY, token);
  return true;
}

/** Throws what the service said against it. A refused token is forgotten. */
export async function call(method, path, body) {
  const headers = { authorization: `Bearer ${sessionStorage.getItem(KEY)}` };
  if (body) headers['content-type'] = 'application/json';
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({ message: response.statusText }));
  if (response.ok) return answer;
  if (response.status === 401) {
    sessionStorage.removeItem(KEY);
    dispatchEvent(new Event('locked'));
  }
  throw new Error(answer.message);
}

export const guestPath = ({ host, id }) => `/api/hosts/${encodeURIComponent(host)}/guests/${encodeURIComponent(id)}`;

/** Tells everything, then each change. The browser itself connects again, and everything comes anew. */
export function follow({ onBoard, onChanges, onLink }) {
  const events = new EventSource('/api/events');
  events.addEventListener('board', ({ data }) => onBoard(JSON.parse(data)));
  events.addEventListener('changes', ({ data }) => onChanges(JSON.parse(data)));
  events.addEventListener('open', () => onLink(true));
  events.addEventListener('error', () => onLink(false));
}
