// Keys. Single letters only outside of fields and never with Alt, Ctrl or Meta: those belong to the browser and to
// national keyboards. What a page can do has its key in [data-key]; where one can go, in [data-go], after `g`.
import { close, current, here, rows, step as stepPane } from './panes.js';
import { clear, extend, toggle } from './queue.js';
import { request } from './layers.js';

const dialog = document.getElementById('keys');
const SEQUENCE_MS = 1500;
let begun = 0;

const isOn = () => document.body.dataset.singleKeys === 'yes';
const isShown = (element) => element.checkVisibility?.({ visibilityProperty: true }) ?? true;
const isField = (element) => element.closest?.('input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]') != null;
const isOpen = () => document.querySelector('dialog[open]') !== null;
export const named = (element) => (element.title || element.getAttribute('aria-label') || element.textContent).trim();
export const withKey = (attribute) => Array.from(document.querySelectorAll(`[data-${attribute}]`));

// What lies in a closed sheet or drawer has its key all the same: where one chooses or types, it opens first.
const inSheet = (element) => element.closest('[popover]:not(:popover-open)');
export const isThere = (element) => isShown(element) || inSheet(element) !== null;

export function activate(element) {
  if (!isShown(element) && !element.matches('button, a')) inSheet(element)?.showPopover();
  if (element.matches('input, textarea, select')) element.focus();
  else element.click();
}

function write(kind) {
  const form = document.querySelector('[data-composer]');
  if (!form) return;
  const choice = form.querySelector(`[name="kind"][value="${kind}"]`);
  choice.checked = true;
  choice.dispatchEvent(new Event('change', { bubbles: true }));
  const { text } = form.elements;
  text.focus();
  // Below what stands there already.
  if (!text.selectionEnd) text.setSelectionRange(text.value.length, text.value.length);
}

function focusRow(row) {
  row?.focus();
  row?.scrollIntoView({ block: 'nearest' });
}

function step(by) {
  const all = rows();
  const at = all.indexOf(here());
  focusRow(all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)]);
}

function help() {
  fillKeys(document.getElementById('keys-go'), withKey('go'), (element) => ['g', element.dataset.go]);
  fillKeys(document.getElementById('keys-here'), withKey('key').filter(isThere), (element) => [element.dataset.key]);
  dialog.showModal();
}

function fillKeys(section, elements, keys) {
  const known = new Set();
  const lines = elements.filter((element) => !known.has(keys(element).join()) && known.add(keys(element).join())).map((element) => {
    const line = document.createElement('div');
    const [term, words] = [document.createElement('dt'), document.createElement('dd')];
    for (const key of keys(element)) {
      const sign = document.createElement('kbd');
      sign.textContent = key;
      term.append(sign, ' ');
    }
    words.textContent = named(element);
    line.append(term, words);
    return line;
  });
  section.querySelector('dl').replaceChildren(...lines);
  section.hidden = !lines.length;
}

const letters = {
  j: () => step(1),
  k: () => step(-1),
  J: () => extend(1),
  K: () => extend(-1),
  x: () => toggle(),
  r: () => write('reply'),
  n: () => write('note'),
  '[': () => stepPane(-1),
  ']': () => stepPane(1),
  // The same where brackets need AltGr: one key, with and without Shift, on most European keyboards.
  ';': () => stepPane(-1),
  ',': () => stepPane(1),
  u: () => { if (current()) close(); },
  '/': () => document.querySelector('[data-palette]')?.click(),
  '?': help,
  g: () => { begun = Date.now(); },
};
// In the list these work whether or not letters are keys.
const moves = {
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  Home: () => focusRow(rows()[0]),
  End: () => focusRow(rows().at(-1)),
};

function letter(key) {
  if (Date.now() - begun < SEQUENCE_MS) {
    begun = 0;
    const place = document.querySelector(`[data-go="${CSS.escape(key)}"]`);
    if (place) place.click();
    return place !== null;
  }
  // The row that has the focus is not what is open: what is done there is done to it.
  const row = document.activeElement?.closest?.('#rows a.row');
  if (row && row !== current() && !row.closest('.picking') && document.querySelector(`#bulk [data-key="${CSS.escape(key)}"]`)) toggle(row);
  const element = withKey('key').find((one) => one.dataset.key === key && isThere(one));
  if (element) activate(element);
  else if (letters[key]) letters[key]();
  else return false;
  return true;
}

// What is typed while a conversation opens or is saved is meant for what comes: keys, and text once a field has the focus.
let held = [];
const isHeld = (key) => document.querySelector('.work.loading') !== null && (held.length > 0 || !'jkJK?'.includes(key));
document.addEventListener('desk:pane', () => setTimeout(() => {
  while (held.length && !isHeld(held[0])) {
    const key = held.shift();
    if (isField(document.activeElement)) document.execCommand('insertText', false, key);
    else letter(key);
  }
}));

function escape(event) {
  if (isOpen() || document.querySelector(':popover-open')) return;
  if (isField(event.target)) event.target.blur();
  else clear();
}

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.isComposing || event.altKey || event.getModifierState('AltGraph')) return;
  if (event.key === 'Escape') { escape(event); return; }
  // Whatever is filled in is sent by the same keys as a reply.
  const { form } = event.target;
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && form) {
    event.preventDefault();
    form.requestSubmit(form.querySelector('button.p[type=submit]') ?? form.querySelector('[type=submit]'));
    return;
  }
  if (event.ctrlKey || event.metaKey || isField(event.target) || isOpen()) return;
  const move = event.target === document.body || event.target.closest?.('#list') ? moves[event.key] : undefined;
  if (move && rows().length && !event.shiftKey) {
    event.preventDefault();
    move();
  } else if (event.key.length === 1 && isOn()) {
    if (isHeld(event.key)) { held.push(event.key); event.preventDefault(); return; }
    held = [];
    if (event.key !== ' ' && letter(event.key)) event.preventDefault();
  }
});

document.addEventListener('click', (event) => {
  if (!event.target.closest('[data-keys]')) return;
  event.preventDefault();
  help();
});

const choice = document.getElementById('keys-switch');
choice?.addEventListener('change', async () => {
  document.body.dataset.singleKeys = choice.elements.on.checked ? 'yes' : 'no';
  await request(choice.getAttribute('action'), 'keys-switch', { method: 'POST', body: new FormData(choice) });
});
