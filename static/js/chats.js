// Live chats: whether one takes them, what the visitor does, what they have seen, and sending with Enter.
import { on, say } from './live.js';

const INPUT_EVERY = 60_000;
const form = document.getElementById('avail');
const find = (id) => document.getElementById(id);
const opened = () => Number(document.querySelector('[data-conversation]')?.dataset.conversation ?? 0);
let state = '';
let toldAt = 0;
let read = '';
let typing = 0;

// Untouched text is left alone, so that nothing is read aloud without need.
const write = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };

function paint() {
  if (!form) return;
  form.hidden = !state;
  const button = form.querySelector('button');
  button.value = state === 'available' ? 'away' : 'available';
  button.classList.toggle('is-away', state === 'away');
  write(button.querySelector('.lbl'), form.dataset[state] ?? '');
  button.setAttribute('aria-pressed', String(state === 'available'));
}

export function be(chat) {
  ({ state } = chat);
  const { style } = form?.dataset ?? {};
  if (!style || document.head.querySelector(`link[href="${CSS.escape(style)}"]`)) { paint(); return; }
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.onload = link.onerror = paint;
  link.href = style;
  document.head.append(link);
}
on('welcome', ({ chat }) => { if (chat) be(chat); });
on('me', (frame) => { ({ state } = frame); paint(); });
form?.addEventListener('submit', (event) => {
  event.preventDefault();
  state = event.submitter.value;
  paint();
  say('avail', { state });
});

// Whoever does nothing for long is away; the next key brings them back.
function atWork() {
  if (Date.now() - toldAt < INPUT_EVERY && state !== 'away') return;
  if (Date.now() - toldAt < 1000) return;
  toldAt = Date.now();
  say('input');
}
for (const kind of ['keydown', 'pointerdown', 'wheel']) document.addEventListener(kind, atWork, { capture: true, passive: true });

// What has been seen is told once, as far as the page was drawn.
function tellRead() {
  const chat = find('chat');
  if (!chat || document.hidden) return;
  const now = `${opened()}:${chat.dataset.head}`;
  if (now === read) return;
  read = now;
  say('read', { conv: opened(), upto: Number(chat.dataset.head) });
}
document.addEventListener('thread:seen', tellRead);
for (const name of ['desk:pane', 'htmx:afterSettle', 'visibilitychange']) document.addEventListener(name, () => setTimeout(tellRead, 200));
on('up', () => { read = ''; setTimeout(tellRead, 500); });

on('typing', ({ conv, off, ttl }) => {
  const line = find('customer-typing');
  if (!line || conv !== opened()) return;
  clearTimeout(typing);
  write(line, off ? '' : line.dataset.words);
  if (!off) typing = setTimeout(() => write(find('customer-typing'), ''), ttl ?? 6000);
});
on('ev', ({ conv, d }) => {
  if (conv === opened() && d.kind === 'message.received') write(find('customer-typing') ?? document.createElement('p'), '');
  if (d.channel === 'chat' && find('chats')) window.htmx.trigger('#chats', 'news');
});
on('stale', () => { if (find('chats')) window.htmx.trigger('#chats', 'news'); });

on('vis', ({ conv, state: how, page }) => {
  const presence = find('chat-presence');
  if (!presence || conv !== opened()) return;
  presence.className = `presence ${how}`;
  write(presence.querySelector('span'), presence.dataset[how] ?? '');
  const link = find('chat-page');
  if (page && /^https?:/.test(page.url)) {
    link.href = link.title = page.url;
    write(link.querySelector('span'), page.title || page.url);
    link.hidden = false;
  }
});
const part = (tag, text, className = '') => Object.assign(document.createElement(tag), { textContent: text, className });
on('track', ({ conv, name, props, at }) => {
  const box = find('chat-tracked');
  if (!box || conv !== opened()) return;
  write(box.querySelector('summary span'), box.dataset.words.replace('%s', () => name));
  const line = part('li', '');
  line.append(part('bdi', name));
  for (const [short, value] of Object.entries(props)) {
    const one = part('span', '', 'dim');
    one.append(part('bdi', short), ': ', part('bdi', value));
    line.append(' ', one);
  }
  line.append(' ', part('span', new Date(at).toLocaleTimeString(document.documentElement.lang, { hour: '2-digit', minute: '2-digit' }), 'dim num'));
  const list = box.querySelector('ul');
  list.prepend(line);
  while (list.children.length > 10) list.lastElementChild.remove();
  box.hidden = false;
});
on('read', ({ conv, upto }) => {
  const chat = find('chat');
  if (!chat || conv !== opened() || upto < Number(chat.dataset.head)) return;
  for (const mark of document.querySelectorAll('#thread [data-unseen]')) {
    mark.lastChild.textContent = chat.dataset.seenWords;
    mark.querySelector('use')?.setAttribute('href', mark.querySelector('use').getAttribute('href').replace(/#.*/, '#circle-check'));
    mark.removeAttribute('data-unseen');
  }
});

// In a live chat Enter sends; with Shift it begins a line, and suggestions that are open take it first.
document.addEventListener('keydown', (event) => {
  const target = event.target;
  if (event.key !== 'Enter' || event.defaultPrevented || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const composer = target.closest?.('[data-enter-sends]');
  if (!composer || target !== composer.elements.text || composer.elements.kind.value !== 'reply') return;
  event.preventDefault();
  if (target.value.trim() || composer.elements.uploads.files.length) composer.requestSubmit(find('send'));
});
