// Writing: drafts, canned replies by `/`, people by `@`, files, sending by keys.
import { keepDrafts } from './drafts.js';
import { takeFiles } from './files.js';
import { insert, toolbar } from './markup.js';
import { whenThere } from './ready.js';
import { suggest } from './suggestions.js';

const before = (text) => text.value.slice(0, text.selectionStart);

// What the server makes of a canned reply or an article for this conversation.
async function filled(form, address, body) {
  body.set('csrfmiddlewaretoken', form.elements.csrfmiddlewaretoken.value);
  const answer = await fetch(address, { method: 'POST', body, headers: { Accept: 'application/json' } }).catch(() => null);
  return { answer, ...(await answer?.json().catch(() => null)) };
}

function offerCanned(form) {
  const text = form.elements.text;
  // A slash at the beginning of a line; `//` and paths in running text are none.
  const typed = () => /(?:^|\n)\/([\p{L}\p{N}_-]{0,40})$/u.exec(before(text))?.[1];
  const menu = suggest(text, {
    host: form.querySelector('.box'),
    label: form.querySelector('[data-slash]').title,
    find: async () => {
      const words = typed();
      if (words === undefined) return [];
      const answer = await fetch(`${form.dataset.canned}?q=${encodeURIComponent(words)}&here=${form.dataset.composer}`).catch(() => null);
      return answer?.ok ? (await answer.json()).results : [];
    },
    // An article goes in as a link where the customer may open it; with Shift its text does.
    choose: (item, isOther) => {
      const given = item.use ? { conversation: form.dataset.composer, as: isOther ? 'text' : '' } : { reply: item.id };
      use(item.use ?? form.dataset.use, given, text.selectionStart - typed().length - 1);
    },
  });
  async function use(address, given, from) {
    const { answer, text: words } = await filled(form, address, new URLSearchParams(given));
    if (answer?.ok) insert(text, words, from);
  }
  form.addEventListener('canned', (event) => { text.focus(); use(form.dataset.use, { reply: event.detail }, text.selectionStart); });
  form.querySelector('[data-slash]').addEventListener('click', () => {
    text.focus();
    insert(text, before(text) && !before(text).endsWith('\n') ? '\n/' : '/');
    menu.look();
  });
}

function offerPeople(form) {
  const text = form.elements.text;
  const known = form.querySelector('#agents');
  const names = Array.from(known.options, (option) => option.value);
  // Very many are not all here: the server finds those who may read this.
  const ask = async (words) => {
    const answer = words && await fetch(`${known.dataset.find}&q=${encodeURIComponent(words)}`).catch(() => null);
    return answer?.ok ? (await answer.json()).results : [];
  };
  const typed = () => (form.elements.kind.value === 'note' ? /(?:^|[\s(])@([\p{L}\p{N}._-]{0,40})$/u.exec(before(text))?.[1] : undefined);
  suggest(text, {
    host: form.querySelector('.box'),
    label: '@',
    find: async () => {
      const words = typed()?.toLowerCase();
      if (words === undefined) return [];
      if (known.dataset.find) return ask(words);
      return names.filter((name) => name.toLowerCase().split(' ').some((part) => part.startsWith(words))).slice(0, 8).map((name) => ({ name, hint: '@' }));
    },
    choose: (item) => insert(text, `@${item.name} `, text.selectionStart - typed().length - 1),
  });
}

whenThere('[data-composer]', (form) => {
  const text = form.elements.text;
  if (form.querySelector('[data-slash]')) offerCanned(form);
  offerPeople(form);
  toolbar(form);
  takeFiles(form);
  keepDrafts(form);
  const place = () => { text.placeholder = form.elements.kind.value === 'note' ? text.dataset.note : text.dataset.reply; };
  form.addEventListener('change', place);
  place();

  form.addEventListener('submit', (event) => {
    if (event.submitter?.hasAttribute('formaction')) return;
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
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    if (event.shiftKey && form.elements.then) form.elements.then.value = 'resolved';
    form.requestSubmit(document.getElementById('send'));
  });
  // Somebody who looks at the end of the thread has seen what is there.
  document.addEventListener('thread:seen', (event) => {
    if (form.isConnected) form.elements.seen.value = event.detail;
  });
});

// Articles beside the conversation, or opened above it, go where one writes.
document.addEventListener('submit', async (event) => {
  const form = event.target.closest('[data-inserts]');
  const composer = document.querySelector('[data-composer]');
  if (!form || !composer) return;
  event.preventDefault();
  const { answer, text, detail } = await filled(composer, form.action, new URLSearchParams(new FormData(form, event.submitter)));
  form.querySelector('output').textContent = detail ?? '';
  if (!answer?.ok) return;
  document.getElementById('layer')?.close();
  const field = composer.elements.text;
  // Who has not been in the field yet, or no longer, goes on below what stands there.
  if (!field.selectionEnd) field.setSelectionRange(field.value.length, field.value.length);
  insert(field, `${before(field) && !before(field).endsWith('\n') ? '\n\n' : ''}${text}`);
});

whenThere('[data-tags]', (field) => {
  const typed = () => /(?:^|,)\s*([^,]{0,80})$/.exec(before(field))?.[1] ?? '';
  suggest(field, {
    host: field.parentElement,
    label: field.title,
    find: async () => {
      const words = typed().trim();
      if (!words) return [];
      const answer = await fetch(`${field.dataset.tags}?q=${encodeURIComponent(words)}`).catch(() => null);
      const there = field.value.split(',').map((tag) => tag.trim());
      return answer?.ok ? (await answer.json()).results.filter((tag) => !there.includes(tag.name)) : [];
    },
    choose: (item) => {
      field.setRangeText(`${item.name}, `, field.selectionStart - typed().length, field.selectionStart, 'end');
      field.dispatchEvent(new Event('input', { bubbles: true }));
    },
  });
});
