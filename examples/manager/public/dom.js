// The little that the page needs of a framework: parts of templates, and lists that are changed and never built anew.

/** A copy of a template, with its parts by the name behind `data-`. Text goes in as text: nothing can become markup. */
export function part(template) {
  const root = document.getElementById(template).content.firstElementChild.cloneNode(true);
  const named = {};
  for (const element of [root, ...root.querySelectorAll('*')]) {
    for (const name of Object.keys(element.dataset)) named[name] = element;
  }
  return { root, ...named };
}

/** Touches the page only where it changes, so that nothing flickers and no screen reader repeats itself. */
export function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

export function notice(element, message) {
  element.hidden = !message;
  text(element, message ?? '');
}

/** A list of parts that follows a list of values: one part per key, kept with its focus as long as its key is there. */
export function keyed(container, make) {
  const parts = new Map();
  return (entries) => {
    const wanted = new Set(entries.map(([key]) => key));
    for (const [key, { root }] of parts) {
      if (wanted.has(key)) continue;
      root.remove();
      parts.delete(key);
    }
    let before = null;
    for (const [key, value] of entries) {
      let entry = parts.get(key);
      if (!entry) {
        entry = make(value);
        parts.set(key, entry);
      }
      const place = before ? before.nextSibling : container.firstChild;
      if (entry.root !== place) container.insertBefore(entry.root, place);
      entry.update(value);
      before = entry.root;
    }
  };
}
