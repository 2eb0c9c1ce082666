// Writing: drafts, canned replies by `/`, people by `@`, files, sending by keys.
import { keepDrafts } from './drafts.js';
import { takeFiles } from './files.js';
import { insert, toolbar } from './markup.js';
import { whenThere } from './ready.js';
import { suggest } from './suggestions.js';

const before = (text) => text.value.slice(0, text.selectionStart);

function offerCanned(form) {
  const text = form.elements.text;
  // A slash at the beginning of a line; `//` and paths in running text are none.
  const typed = () => /(?:^|\n)\/([\w-]{0,40})$/.exec(before(text))?.[1];
  const menu = suggest(text, {
    host: form.querySelector('.box'),
    label: form.querySelector('[data-slash]').title,
    find: async () => {
      const words = typed();
      if (words === undefined) return [];
      const answer = await fetch(`${form.dataset.canned}?q=${encodeURIComponent(words)}`).catch(() => null);
      return answer?.ok ? (await answer.json()).results : [];
    },
    choose: (item) => use(item.id, text.selectionStart - typed().length - 1),
  });
  async function use(reply, from) {
    const body = new URLSearchParams({ reply, csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value });
    const answer = await fetch(form.dataset.use, { method: 'POST', body, headers: { Accept: 'application/json' } }).catch(() => null);
    if (answer?.ok) insert(text, (await answer.json()).text, from);
  }
  form.addEventListener('canned', (event) => { text.focus(); use(event.detail, text.selectionStart); });
  form.querySelector('[data-slash]').addEventListener('click', () => {
    text.focus();
    insert(text, before(text) && !before(text).endsWith('\n') ? '\n/' : '/');
    menu.look();
  });
}

function offerPeople(form) {
  const text = form.elements.text;
  const names = Array.from(form.querySelectorAll('#agents option'), (option) => option.value);
  const typed = () => (form.elements.kind.value === 'note' ? /(?:^|[\s(])@([\p{L}\p{N}._-]{0,40})$/u.exec(before(text))?.[1] : undefined);
  suggest(text, {
    host: form.querySelector('.box'),
    label: '@',
    find: async () => {
      const words = typed()?.toLowerCase();
      if (words === undefined) return [];
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
