// On a phone the panel is all there is, so the way back shuts it and leaves the page where it is. The entry is the
// frame's own: the page's history is not touched, and its scripts hear of nothing.
import { post } from './host.js';
import { when } from './state.js';

let isOpen = false;
let length = 0;

export function open() {
  if (isOpen) return;
  isOpen = true;
  // Browsers skip the entries of a frame that nobody has touched: then it is made with the first touch.
  if (navigator.userActivation?.hasBeenActive === false) window.addEventListener('pointerdown', enter, { once: true });
  else enter();
}

function enter() {
  if (!isOpen || length) return;
  history.pushState({ desk: 'open' }, '');
  ({ length } = history);
}

window.addEventListener('popstate', ({ state }) => {
  if (!isOpen || !length || state?.desk === 'open') return;
  isOpen = false;
  length = 0;
  post({ t: 'close' });
});

// Shut in another way: the entry goes as well, unless the page has made others after it.
when('hidden', () => {
  const isLast = isOpen && length && history.length === length;
  isOpen = false;
  length = 0;
  if (isLast) history.back();
});
