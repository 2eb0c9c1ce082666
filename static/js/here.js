// Who else is in a conversation: said in its head, over the composer while they write, and by a small sign on its row.
import { on, say } from './live.js';

const words = document.getElementById('live-words')?.dataset ?? {};
const me = Number(words.me);
const seen = new Map();
const TYPING_EVERY = 3000;
const HUES = 12;
let typedAt = 0;

const opened = () => Number(document.querySelector('[data-conversation]')?.dataset.conversation ?? 0);
const others = (number) => (seen.get(number) ?? []).filter((agent) => agent.id !== me);
const sentence = (text, agents) => text.replace('%s', agents.map((agent) => agent.name).join(', '));
const initials = (name) => name.split(/\s+/).filter(Boolean).slice(0, 2).map((part) => part[0].toUpperCase()).join('');

function line(parent, id, before) {
  let found = document.getElementById(id);
  if (!found) {
    found = document.createElement('p');
    found.id = id;
    found.className = id;
    found.setAttribute('role', 'status');
    parent.insertBefore(found, before);
  }
  return found;
}

// Untouched text is left alone, so that nothing is read aloud without need.
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = !text;
}

function paintConversation() {
  const head = document.getElementById('head');
  const composer = document.getElementById('composer');
  if (!head) return;
  const here = others(opened());
  const typing = here.filter((agent) => agent.do === 'typing');
  write(line(head, 'here', document.getElementById('live')), here.length ? sentence(words.viewing, here) : '');
  if (composer) write(line(composer, 'replying', composer.firstChild), typing.length ? sentence(words.replying, typing) : '');
}

function paintRows() {
  for (const old of document.querySelectorAll('#rows .seen-by')) if (!others(Number(old.dataset.seen)).length) old.remove();
  for (const number of seen.keys()) {
    const row = document.querySelector(`#c${number} .row`);
    const here = others(number);
    if (!row || !here.length) continue;
    const sign = row.querySelector('.seen-by') ?? row.appendChild(document.createElement('span'));
    sign.className = `seen-by av s h${(here[0].id * 5) % HUES}`;
    sign.dataset.seen = number;
    sign.title = sentence(words.viewing, here);
    write(sign, initials(here[0].name));
  }
}

function paint() {
  paintConversation();
  paintRows();
}

function focus() {
  if (!document.hidden) say('focus', { conv: opened() });
}

on('welcome', ({ presence }) => {
  seen.clear();
  for (const { conv, agents } of presence) seen.set(conv, agents);
  say('vis', { tab: !document.hidden });
  focus();
  paint();
});
on('who', ({ conv, agents }) => {
  if (agents.length) seen.set(conv, agents);
  else seen.delete(conv);
  paint();
});
on('down', () => { seen.clear(); paint(); });

document.addEventListener('desk:pane', () => { focus(); paint(); });
document.addEventListener('htmx:afterSettle', paint);
document.addEventListener('visibilitychange', () => { say('vis', { tab: !document.hidden }); focus(); });
document.addEventListener('input', (event) => {
  const form = event.target.closest('[data-composer]');
  if (!form || Date.now() - typedAt < TYPING_EVERY) return;
  typedAt = Date.now();
  say('typing', { conv: opened(), internal: form.elements.kind?.value === 'note' });
});
document.addEventListener('submit', (event) => {
  if (!event.target.closest('[data-composer]')) return;
  typedAt = 0;
  say('typing', { conv: opened(), off: true });
});
