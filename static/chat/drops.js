// What nobody does in the panel's first moments: files that are pasted, or dropped anywhere; and what is typed is looked
// up in the help centre.
import { state } from './state.js';

const dropping = (is) => document.body.classList.toggle('dropping', is);

export function watch(text, attach) {
  text.addEventListener('paste', (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    attach(event.clipboardData.files);
  });
  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    dropping(true);
  });
  document.addEventListener('dragleave', (event) => { if (!event.relatedTarget) dropping(false); });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    dropping(false);
    attach(event.dataTransfer.files);
  });
  const help = async () => { if (state.conv === null) (await import('./answers.js')).look(); };
  text.addEventListener('input', help);
  if (text.value) help();
}
