// The toolbar: puts Markdown around what is chosen, and shows what it will look like.
const around = { bold: ['**', '**'], italic: ['*', '*'], code: ['`', '`'], link: ['[', '](https://)'] };

function put(text, from, to, words) {
  text.focus();
  text.setSelectionRange(from, to);
  // As if typed, so that the browser's own undo takes it back.
  if (!document.execCommand('insertText', false, words)) {
    text.setRangeText(words, from, to, 'end');
    text.dispatchEvent(new InputEvent('input', { bubbles: true }));
  }
}

function mark(text, kind) {
  const { selectionStart: from, selectionEnd: to, value } = text;
  const chosen = value.slice(from, to);
  if (kind === 'list') {
    const start = value.lastIndexOf('\n', from - 1) + 1;
    put(text, start, to, value.slice(start, to).split('\n').map((line) => `- ${line}`).join('\n'));
    return;
  }
  const [before, after] = around[kind];
  put(text, from, to, before + chosen + after);
  if (kind === 'link' && chosen) text.setSelectionRange(from + chosen.length + 3, from + chosen.length + 11);
  else text.setSelectionRange(from + before.length, from + before.length + chosen.length);
}

export function insert(text, words, from = text.selectionStart) {
  put(text, from, text.selectionEnd, words);
}

export function toolbar(form) {
  const text = form.elements.text;
  const preview = form.querySelector('.preview');
  const shows = form.querySelector('[data-show]');
  for (const button of form.querySelectorAll('[data-mark]')) {
    button.addEventListener('click', () => mark(text, button.dataset.mark));
  }
  text.addEventListener('keydown', (event) => {
    const kind = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && { b: 'bold', i: 'italic' }[event.key.toLowerCase()];
    if (!kind) return;
    event.preventDefault();
    mark(text, kind);
  });
  shows.addEventListener('click', async () => {
    const isShown = shows.getAttribute('aria-pressed') === 'true';
    if (!isShown) {
      const answer = await fetch(form.dataset.preview, { method: 'POST', body: new URLSearchParams({ text: text.value, csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value }) }).catch(() => null);
      if (!answer?.ok) return;
      preview.innerHTML = await answer.text();
    }
    shows.setAttribute('aria-pressed', String(!isShown));
    preview.hidden = isShown;
    text.hidden = !isShown;
    if (isShown) text.focus();
  });
}
