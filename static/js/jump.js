// Ctrl+K opens the palette at once, and it takes what is typed; what it can do comes when it is first wanted.
import { explain } from './layers.js';

const dialog = document.getElementById('palette');
const asked = document.getElementById('palette-asked');
let isReady = false;
let isEntered = false;

function open() {
  if (dialog.open) { dialog.close(); return; }
  for (const other of document.querySelectorAll('dialog[open]')) other.close();
  const before = document.activeElement;
  asked.value = '';
  document.getElementById('palette-found').replaceChildren();
  dialog.showModal();
  asked.focus();
  isEntered = isReady = false;
  import('./palette.js').then(async ({ begin }) => {
    await begin(before);
    isReady = true;
    if (isEntered && dialog.open) asked.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
  }, explain);
}

if (dialog) {
  // Whoever types faster than it comes has meant it.
  asked.addEventListener('keydown', (event) => { if (event.key === 'Enter' && !isReady && event.isTrusted) { event.preventDefault(); event.stopImmediatePropagation(); isEntered = true; } });
  document.addEventListener('keydown', (event) => {
    if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  document.addEventListener('click', (event) => {
    if (!event.target.closest('[data-palette]') || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    open();
  });
}
