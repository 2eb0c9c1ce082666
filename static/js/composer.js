// What is typed survives a closed tab, a lost session and a crash, until the server has it.
const form = document.querySelector('[data-composer]');

if (form) {
  const text = form.elements.text;
  const key = `draft:${form.dataset.composer}`;
  const read = () => JSON.parse(localStorage.getItem(key) ?? 'null');
  const kept = read();
  const arrived = kept && document.querySelector(`[data-client-id="${CSS.escape(kept.client_id)}"]`);
  if (arrived) localStorage.removeItem(key);
  else if (kept && !text.value) {
    text.value = kept.text;
    form.elements.client_id.value = kept.client_id;
    form.elements.kind.value = kept.kind;
  }

  const keep = () => {
    if (!text.value) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify({ text: text.value, kind: form.elements.kind.value, client_id: form.elements.client_id.value }));
  };
  form.addEventListener('input', keep);
  form.addEventListener('submit', (event) => {
    if (!text.value.trim() && !form.elements.uploads.files.length) {
      event.preventDefault();
      text.focus();
      return;
    }
    // A second click while the first is under way would only wait; the client_id makes it harmless anyway.
    if (form.dataset.sending) event.preventDefault();
    form.dataset.sending = 'yes';
    form.setAttribute('aria-busy', 'true');
  });
  window.addEventListener('pageshow', () => delete form.dataset.sending);
  text.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit(document.getElementById('send'));
    }
  });
  text.addEventListener('paste', (event) => {
    if (!event.clipboardData.files.length) return;
    const all = new DataTransfer();
    for (const file of [...form.elements.uploads.files, ...event.clipboardData.files]) all.items.add(file);
    form.elements.uploads.files = all.files;
    event.preventDefault();
  });
}
