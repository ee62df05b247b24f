// What is under way on a guest, and what became of it.
import { part, text } from './dom.js';
import { hasToken } from './service.js';
import { bytes, KINDS, PHASES } from './words.js';

const ENDED = { done: 'done', failed: 'failed', cancelled: 'cancelled: all is as it was' };

export function operationPart(first, { cancel, dismiss }) {
  const it = part('operation');
  let operation = first;
  const underWay = () => operation.state === 'running' || operation.state === 'cancelling';
  it.end.addEventListener('click', () => (underWay() ? cancel(operation) : dismiss(operation)));
  return {
    root: it.root,
    update(value) {
      operation = value;
      const { kind, guestName, snapshot, state, phase, done, total, message } = operation;
      it.root.dataset.state = state;
      text(it.title, snapshot ? `${KINDS[kind]} ${snapshot}` : KINDS[kind]);
      const step = state === 'cancelling' ? 'cancelling' : (PHASES[phase] ?? phase ?? 'beginning');
      const amount = total > 0 ? `, ${bytes(done)} of ${bytes(total)}` : '';
      text(it.phase, underWay() ? `${step}${amount}` : (message ?? ENDED[state]));
      it.progress.hidden = !underWay();
      const what = `${it.title.textContent}, ${guestName}`;
      it.progress.setAttribute('aria-label', what);
      if (total > 0) {
        it.progress.max = total;
        it.progress.value = done;
      } else it.progress.removeAttribute('value');
      text(it.end, underWay() ? 'Cancel' : 'Dismiss');
      it.end.setAttribute('aria-label', `${it.end.textContent}: ${what}`);
      it.end.disabled = state === 'cancelling' || (underWay() && !hasToken());
    },
  };
}
