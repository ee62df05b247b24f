// Asks before what cannot be taken back. The dialog is the browser's own: Escape closes it, and the focus stays inside.

const dialog = document.getElementById('ask');

/** True where the person agreed. */
export function ask({ title, text, yes }) {
  document.getElementById('ask-title').textContent = title;
  document.getElementById('ask-text').textContent = text;
  document.getElementById('ask-yes').textContent = yes;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}
