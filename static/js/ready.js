// Parts of a page that come later, by a pane or a fresh thread, are made ready like those that were there first.
export function whenThere(selector, prepare) {
  const look = (root) => {
    const found = root.matches?.(selector) ? [root, ...root.querySelectorAll(selector)] : root.querySelectorAll(selector);
    for (const part of found) {
      if (part.isReady) continue;
      part.isReady = true;
      prepare(part);
    }
  };
  look(document);
  for (const name of ['htmx:load', 'htmx:afterSwap', 'htmx:oobAfterSwap', 'desk:pane', 'desk:layer']) {
    document.addEventListener(name, () => look(document));
  }
}
