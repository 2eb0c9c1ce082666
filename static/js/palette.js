// The palette: conversations, customers and views from the server, and what this page can do, all by typing.
import { activate, isThere, named, withKey } from './keys.js';
import { explain, parsed, request } from './layers.js';

const dialog = document.getElementById('palette');
const asked = document.getElementById('palette-asked');
const found = document.getElementById('palette-found');
const WAIT = 80;
let turn = 0;
let timer = 0;
let before = null;
let isBehind = false;
let asking = null;

const options = () => Array.from(found.querySelectorAll('[role="option"]'));
const chosen = () => found.querySelector('[aria-selected="true"]');

function choose(option) {
  chosen()?.setAttribute('aria-selected', 'false');
  option?.setAttribute('aria-selected', 'true');
  option?.scrollIntoView({ block: 'nearest' });
  if (option) asked.setAttribute('aria-activedescendant', option.id);
  else asked.removeAttribute('aria-activedescendant');
}

// Every letter of what was typed comes in the name, in this order; words that begin with it come first.
function likeness(typed, name) {
  const [wanted, has] = [typed.toLowerCase(), name.toLowerCase()];
  if (has.startsWith(wanted)) return 3;
  if (has.split(/\s+/).some((word) => word.startsWith(wanted))) return 2;
  let at = -1;
  for (const letter of wanted.replace(/\s/g, '')) {
    at = has.indexOf(letter, at + 1);
    if (at < 0) return 0;
  }
  return 1;
}

function commands(typed, most) {
  const known = new Set();
  return [...withKey('key'), ...withKey('go')]
    .filter((element) => !element.closest('dialog') && isThere(element) && named(element) && !known.has(named(element)) && known.add(named(element)))
    .map((element) => ({ element, name: named(element), rank: likeness(typed, named(element)) }))
    .filter(({ rank }) => rank > (typed ? 0 : -1))
    .sort((one, other) => other.rank - one.rank)
    .slice(0, most);
}

function option(id, sign, name, side, run) {
  const made = document.createElement(typeof run === 'string' ? 'a' : 'div');
  made.id = id;
  made.setAttribute('role', 'option');
  made.setAttribute('aria-selected', 'false');
  if (typeof run === 'string') made.href = run;
  else made.addEventListener('click', () => { dialog.close(); run(); });
  const mark = document.createElement('kbd');
  mark.textContent = sign;
  const words = document.createElement('span');
  words.className = 'ell';
  words.textContent = name;
  made.append(mark, words);
  if (side) {
    const at = document.createElement('span');
    at.className = 'side';
    at.textContent = side;
    made.append(at);
  }
  return made;
}

function headline(text) {
  const made = document.createElement('div');
  made.className = 'group';
  made.role = 'presentation';
  made.textContent = text;
  return made;
}

function draw(answered, typed, isCommand) {
  const parts = [];
  const first = answered ? Array.from(answered.childNodes) : [];
  // What the server has found already is not said twice.
  const known = new Set(Array.from(answered?.querySelectorAll('[role="option"] > .ell') ?? [], (name) => name.textContent));
  const can = commands(typed, isCommand ? 40 : typed ? 5 : 6).filter(({ name }) => isCommand || !known.has(name));
  if (can.length) {
    const made = can.map(({ element, name }, at) => {
      const key = element.dataset.key ?? `g ${element.dataset.go}`;
      return option(`p-do${at}`, key, name, '', () => { before?.focus?.(); activate(element); });
    });
    parts.push(headline(found.dataset.commands), ...made);
  }
  const all = isCommand ? parts : typed ? [...first, ...parts] : [...parts, ...first];
  if (typed && !isCommand) all.push(option('p-search', '↵', found.dataset.everywhere.replace('%s', typed), '', `${dialog.dataset.search}?q=${encodeURIComponent(typed)}`));
  found.replaceChildren(...all);
  if (!options().length) {
    const none = document.createElement('div');
    none.className = 'none';
    none.role = 'presentation';
    none.textContent = found.dataset.none;
    found.append(none);
  }
  choose(options()[0]);
}

async function ask() {
  isBehind = false;
  const typed = asked.value.trim();
  if (typed.startsWith('>')) { draw(null, typed.slice(1).trim(), true); return; }
  const mine = ++turn;
  try {
    const here = document.querySelector('[data-conversation]')?.dataset.conversation ?? '';
    const reply = await request(`${dialog.dataset.found}?q=${encodeURIComponent(typed)}&here=${here}`, 'palette-found');
    if (!reply.ok) throw reply;
    const html = await reply.text();
    if (mine === turn) draw(parsed(html), typed, false);
  } catch (error) {
    if (mine === turn) { draw(null, typed, false); explain(error); }
  }
}

function answer() {
  asking = ask().finally(() => { asking = null; });
  return asking;
}

// The dialog is open; `focused` is what had the focus before.
export function begin(focused) {
  before = focused;
  return answer();
}

asked.addEventListener('input', () => {
  clearTimeout(timer);
  turn += 1;
  isBehind = true;
  timer = setTimeout(answer, WAIT);
});
asked.addEventListener('keydown', async (event) => {
  if (event.isComposing) return;
  if (event.key === 'Enter') {
    event.preventDefault();
    // Whoever types faster than it answers means what was typed, not what is still shown.
    clearTimeout(timer);
    if (isBehind || asking) await (isBehind ? answer() : asking);
    chosen()?.click();
    return;
  }
  const all = options();
  const at = all.indexOf(chosen());
  const to = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
  if (to !== undefined && all.length) {
    event.preventDefault();
    choose(all[(to + all.length) % all.length]);
  }
});
found.addEventListener('pointermove', (event) => {
  const over = event.target.closest('[role="option"]');
  if (over && over !== chosen()) choose(over);
});
found.addEventListener('click', (event) => {
  const link = event.target.closest('a');
  if (link) dialog.close();
  // A canned reply goes where one writes; where nobody can, its own page opens.
  const composer = document.querySelector('[data-composer]');
  if (!link?.dataset.reply || !composer) return;
  event.preventDefault();
  composer.dispatchEvent(new CustomEvent('canned', { detail: link.dataset.reply }));
});
