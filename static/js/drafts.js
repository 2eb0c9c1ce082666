// What is typed is kept: in this browser at once, on the server after a second's pause. Nothing typed is ever lost,
// through a closed tab, a lost session or a crash, until the server has it as a message.
const PAUSE = 1000;

export function keepDrafts(form) {
  const { text, kind, draft, client_id: clientId } = form.elements;
  const key = `draft:${form.dataset.composer}`;
  const sign = form.querySelector('.saved');
  const read = () => JSON.parse(localStorage.getItem(key) ?? 'null');
  const kept = read();
  const arrived = kept && document.querySelector(`[data-client-id="${CSS.escape(kept.client_id)}"]`);
  let timer = 0;
  // What is on its way to the server: drawn again before the answer is here, the page has exactly this.
  let sending = '';
  const isOwn = kept?.sending && kept.sending === text.defaultValue;
  // What the server has; who was quicker than this script has written more by now.
  let last = `${form.querySelector('[name="kind"][checked]')?.value ?? kind.value} ${text.defaultValue}`;
  const typed = text.value === text.defaultValue ? '' : text.value;

  if (arrived || (kept && kept.version < Number(draft.value) && !isOwn)) localStorage.removeItem(key);
  else if (kept && kept.text !== text.value) {
    // This browser knows more than the page: its login had run out, the page was closed before the pause, or it was
    // drawn just before the server had what is kept here.
    text.value = typed ? `${kept.text}\n\n${typed}` : kept.text;
    clientId.value = kept.client_id;
    const choice = form.querySelector(`[name="kind"][value="${CSS.escape(kept.kind)}"]`);
    if (choice) choice.checked = true;
  }

  const keep = () => {
    if (text.value) localStorage.setItem(key, JSON.stringify({ text: text.value, kind: kind.value, client_id: clientId.value, version: Number(draft.value), sending }));
    else localStorage.removeItem(key);
  };
  const save = async () => {
    clearTimeout(timer);
    timer = 0;
    const now = `${kind.value} ${text.value}`;
    if (now === last || form.dataset.sending) return;
    sending = text.value;
    keep();
    const body = new URLSearchParams({ text: text.value, kind: kind.value, csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value });
    const answer = await fetch(form.dataset.draft, { method: 'POST', body, headers: { Accept: 'application/json' }, redirect: 'error', keepalive: text.value.length < 20_000 }).catch(() => null);
    sending = '';
    if (!answer?.ok) { sign.textContent = text.value ? form.dataset.unsaved : ''; return; }
    last = now;
    draft.value = (await answer.json()).version;
    keep();
    sign.textContent = text.value ? form.dataset.saved : '';
  };

  const later = () => {
    keep();
    sign.textContent = '';
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE);
  };
  form.addEventListener('input', (event) => { if (event.target === text || event.target.name === 'kind') later(); });
  if (typed) later();
  document.addEventListener('visibilitychange', () => { if (document.hidden && timer) save(); });
  document.addEventListener('desk:leave', () => { if (timer && form.isConnected) save(); });
}
