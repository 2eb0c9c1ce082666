// Asks every few seconds whether something happened in this conversation, and puts it in without touching what is typed.
import { isLive, on, say } from './live.js';
import { whenThere } from './ready.js';

const PATIENCE = 4000;
const find = (id) => document.getElementById(id);

function toEnd() {
  const scroll = find('scroll');
  if (scroll) scroll.scrollTop = scroll.scrollHeight;
}

function isAtEnd() {
  const scroll = find('scroll');
  return scroll !== null && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
}

function tellSeen() {
  const cursor = find('cursor');
  if (cursor && isAtEnd() && !document.hidden) document.dispatchEvent(new CustomEvent('thread:seen', { detail: cursor.dataset.last }));
}

function isTouched(part) {
  return part.contains(document.activeElement) || part.querySelector('.menu[open], .edits[open]') !== null || isChanged(part);
}

function isChanged(part) {
  return Array.from(part.querySelectorAll('input:not([type=hidden]), select, textarea')).some((field) => {
    if (field.type === 'checkbox') return field.checked !== field.defaultChecked;
    if (field.tagName === 'SELECT') return Array.from(field.options).some((option) => option.selected !== option.defaultSelected) && !field.options[field.selectedIndex].defaultSelected;
    return field.value !== field.defaultValue;
  });
}

// Four lines of the house and more that follow each other are one, which opens (thread.py does the same).
function fold(thread) {
  let run = [];
  for (const part of [...thread.children, null]) {
    if (part?.matches('.sys:not(.bad, .warn)')) { run.push(part); continue; }
    const lines = run.flatMap((line) => (line.matches('.fold') ? Array.from(line.querySelectorAll('li')) : [line]));
    if (run.length > 1 && lines.length > 3) {
      const folded = run.find((line) => line.matches('.fold')) ?? document.createElement('li');
      const isOpen = folded.querySelector('details')?.open ?? false;
      if (!folded.isConnected) run[0].before(folded);
      const latest = lines.at(-1).cloneNode(true);
      folded.className = 'sys fold';
      folded.innerHTML = '<details><summary><b></b> </summary><ol></ol></details>';
      folded.firstChild.open = isOpen;
      folded.querySelector('b').textContent = thread.dataset.folded.replace('%s', lines.length);
      folded.querySelector('summary').append(...latest.childNodes);
      folded.querySelector('ol').append(...lines);
      for (const line of run) if (line !== folded && line.parentElement === thread) line.remove();
    }
    run = [];
  }
}

// One question at a time: what is put below the thread goes on where the last answer ended.
let isAsking = false;
let isAgain = false;
// Part of an answer was not taken, because somebody writes or chooses there.
let isOwed = false;
async function ask() {
  const [head, thread] = [find('head'), find('thread')];
  if (document.hidden || !head || thread?.dataset.live === undefined) return;
  if (isAsking) { isAgain = true; return; }
  isAsking = true;
  clearTimeout(unheard);
  const wasAtEnd = isAtEnd();
  const all = isOwed ? '&all=1' : '';
  isOwed = false;
  try {
    await window.htmx.ajax('GET', `${head.dataset.news}?${find('cursor').dataset.query}${all}`, { source: thread, target: thread, swap: 'beforeend' });
  } finally {
    isAsking = false;
  }
  grown(wasAtEnd);
  tellShown();
  if (isAgain) { isAgain = false; ask(); }
}

function grown(wasAtEnd) {
  if (find('thread')) fold(find('thread'));
  if (wasAtEnd) toEnd();
  tellSeen();
}

// The server is told how far the thread goes, and sends what comes next, or that it is to be asked for.
let told = '';
let unheard = 0;
const opened = () => Number(document.querySelector('[data-conversation]')?.dataset.conversation ?? 0);
function tellShown() {
  const after = find('thread')?.dataset.live === undefined ? '' : find('cursor').dataset.query;
  if (told === after) return;
  told = after;
  say('thread', { conv: after ? opened() : 0, after, lang: document.documentElement.lang });
}
// What happened while the socket was down is asked for.
on('welcome', () => { told = ''; tellShown(); if (!isAsking) ask(); });
document.addEventListener('desk:pane', tellShown);
on('ev', ({ conv }) => {
  if (conv !== opened()) return;
  clearTimeout(unheard);
  unheard = setTimeout(ask, told ? 2000 : 20);
});
on('news', ({ conv, after, html, next }) => {
  const thread = find('thread');
  if (conv !== opened()) return;
  clearTimeout(unheard);
  if (!html || isAsking || isOwed || after !== find('cursor')?.dataset.query) { ask(); return; }
  const wasAtEnd = isAtEnd();
  window.htmx.swap(thread, html, { swapStyle: 'beforeend', settleDelay: 20 }, { contextElement: thread });
  told = next;
  grown(wasAtEnd);
});

whenThere('#thread[data-live]', (thread) => {
  if (!location.hash || location.hash === `#${thread.querySelector('.msg:last-of-type')?.id}`) toEnd();
  thread.addEventListener('htmx:afterRequest', (event) => {
    if (event.target.closest('.older')) thread.dataset.older = 'shown';
  });
});

document.addEventListener('htmx:oobBeforeSwap', (event) => {
  // Somebody is writing or choosing there: their page keeps what they have, and saving changes only what they changed.
  if (isTouched(event.detail.target)) { event.detail.shouldSwap = false; isOwed = true; }
});
document.addEventListener('htmx:beforeSwap', (event) => {
  const { target, xhr } = event.detail;
  if (target.id !== 'thread') return;
  const thread = find('thread');
  // Another conversation has been opened meanwhile.
  if (target !== thread) event.detail.shouldSwap = false;
  // Older messages that were asked for stay: a whole thread holds only the newest.
  if (!thread?.dataset.older || !xhr.getResponseHeader('HX-Reswap')) return;
  const fresh = new DOMParser().parseFromString(`<ol>${xhr.responseText}</ol>`, 'text/html');
  const known = new Set(Array.from(thread.querySelectorAll('.msg'), (message) => message.id));
  const isNew = Array.from(fresh.querySelectorAll('.msg')).some((message) => !known.has(message.id));
  if (!isNew) event.detail.shouldSwap = false;
});
setInterval(() => { if (!isLive()) ask(); }, PATIENCE);
document.addEventListener('visibilitychange', ask);
document.addEventListener('conversation:changed', ask);
document.addEventListener('scroll', tellSeen, { capture: true, passive: true });

// One menu is open at a time, and none once the work goes on elsewhere.
document.addEventListener('click', (event) => {
  for (const menu of document.querySelectorAll('.menu[open]')) if (!menu.contains(event.target)) menu.open = false;
});
const choices = (menu) => Array.from(menu.querySelectorAll('.pop :is(button, a, input:not([type=hidden]))'));
document.addEventListener('keydown', (event) => {
  const menu = document.querySelector('.menu[open]');
  if (!menu) return;
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const all = choices(menu);
  if (by && menu.contains(event.target) && !event.target.matches('input')) {
    event.preventDefault();
    all[(all.indexOf(event.target) + by + all.length) % all.length].focus();
  }
  if (event.key !== 'Escape') return;
  menu.open = false;
  menu.querySelector('summary').focus();
});
whenThere('.edits', (edits) => {
  edits.addEventListener('toggle', () => { if (edits.open) edits.querySelector('textarea')?.focus(); });
});
whenThere('.menu', (menu) => {
  menu.addEventListener('toggle', () => { if (menu.open) choices(menu)[0]?.focus(); });
});

// The offer to take something back goes after ten seconds, but not while somebody points at it.
whenThere('[data-fades]', (toast) => {
  const address = new URL(location.href);
  for (const name of ['undo', 'sent']) address.searchParams.delete(name);
  history.replaceState(history.state, '', address);
  const fade = () => { if (toast.matches(':hover, :focus-within')) setTimeout(fade, 1000); else toast.remove(); };
  setTimeout(fade, Number(toast.dataset.fades) * 1000);
});

// What was chosen beside the thread is saved by its button, which shows once there is something to save, or by Enter.
whenThere('[data-saves]', (form) => {
  form.addEventListener('input', () => form.classList.toggle('changed', isChanged(form)));
  form.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !event.target.matches('select')) return;
    event.preventDefault();
    if (isChanged(form)) form.requestSubmit();
    else event.target.blur();
  });
});

// A page that was fetched ahead has not been read: whoever is mentioned has seen it when it is shown.
whenThere('[data-mentioned]', (desk) => {
  fetch(desk.dataset.mentioned, { method: 'POST', body: new URLSearchParams({ csrfmiddlewaretoken: desk.querySelector('[data-composer]').elements.csrfmiddlewaretoken.value }) });
});

// The timer counts in this browser, through reloads, until its minutes are added.
whenThere('#timer', (button) => {
  const form = button.form;
  const key = `timer:${form.dataset.conversation}`;
  const show = () => {
    const since = Number(localStorage.getItem(key) ?? 0);
    button.setAttribute('aria-pressed', String(since > 0));
    if (since) form.elements.minutes.value = Math.max(Math.ceil((Date.now() - since) / 60_000), 1);
  };
  button.addEventListener('click', () => {
    if (localStorage.getItem(key)) { show(); localStorage.removeItem(key); } else localStorage.setItem(key, String(Date.now()));
    button.setAttribute('aria-pressed', String(localStorage.getItem(key) !== null));
  });
  form.addEventListener('submit', () => localStorage.removeItem(key));
  show();
  const beat = setInterval(() => { if (button.isConnected) { if (localStorage.getItem(key)) show(); } else clearInterval(beat); }, 15_000);
});
