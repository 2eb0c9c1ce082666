// Files that are pasted, or dropped anywhere on the panel; nobody does so in its first moments.
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
}
