// The list keeps itself up to date, but never moves a row that somebody is about to click or has the focus in.
// And it is ticked: what is selected stays selected while rows come and go.
import { close as closeLayer, explain, fill, parsed, request, show as showLayer, toast } from './layers.js';
import { on } from './live.js';
import { here, mark, rows } from './panes.js';

const section = document.getElementById('list');
const list = () => document.getElementById('rows');
const button = () => document.getElementById('show-news');
const form = () => document.getElementById('bulk');
const ids = (root) => Array.from(root.querySelectorAll('li.item'), (row) => row.id).join();
const isBusy = () => list().matches(':hover') || list().contains(document.activeElement);
const selected = new Set();
let held = null;
let last = null;

// What the server said of rows that is not all done yet, or newer than a list that is on its way.
const told = new Map();
let isOnItsWay = false;

// Rows are put right where they stand at once; they come, go and move once nobody is at them.
function arrange() {
  if (!list()) return;
  const more = list().querySelector('.more');
  const wanted = new Map(Array.from(list().querySelectorAll('li.item'), (row) => [row.id, row]));
  const before = Array.from(wanted.keys()).join();
  for (const [id, { html, isIn }] of told) {
    const row = html && parsed(html).querySelector('li');
    if (row && wanted.has(id)) window.Idiomorph.morph(wanted.get(id), row, { ignoreActiveValue: true });
    if (!isIn) wanted.delete(id);
    else if (!wanted.has(id)) wanted.set(id, row);
  }
  const sorted = Array.from(wanted.values()).sort((one, other) => one.dataset.place - other.dataset.place
    || Math.sign(one.dataset.place) * (one.id.slice(1) - other.id.slice(1)));
  const isOther = sorted.map((row) => row.id).join() !== before;
  button().hidden = held === null && !isOther;
  if (isBusy()) return;
  if (!isOnItsWay) told.clear();
  if (!isOther) return;
  button().hidden = true;
  for (const row of list().querySelectorAll(sorted.length ? 'li.item, .empty' : 'li.item')) if (!sorted.includes(row)) row.remove();
  let at = list().firstElementChild;
  for (const row of sorted) {
    if (row === at) at = at.nextElementSibling;
    else list().insertBefore(row, at);
  }
  // What moves up from the next page, and that nothing is left, the server says.
  if (sorted.length < (more ? 20 : 1)) window.htmx.trigger(list(), 'news');
  document.dispatchEvent(new CustomEvent('desk:list'));
}

on('rows', ({ v, left }) => {
  for (const id of [...Object.keys(v), ...(left ?? [])]) {
    const isIn = left ? !left.includes(Number(id)) : Boolean(document.getElementById(`c${id}`));
    told.set(`c${id}`, { html: v[id], isIn });
  }
  arrange();
  document.dispatchEvent(new CustomEvent('desk:rows'));
  document.dispatchEvent(new CustomEvent('htmx:afterSettle'));
});
on('down', () => told.clear());

function show() {
  if (held !== null) {
    window.Idiomorph.morph(list(), held, { morphStyle: 'innerHTML', ignoreActiveValue: true });
    window.htmx.process(list());
    held = null;
    document.dispatchEvent(new CustomEvent('desk:list'));
  }
  arrange();
  document.dispatchEvent(new CustomEvent('htmx:afterSettle'));
}

// What is selected and what is open is written into rows that were drawn anew.
function paint() {
  const boxes = Array.from(document.querySelectorAll('#rows .pick input'));
  for (const box of boxes) box.checked = selected.has(box.value);
  const words = document.getElementById('selected-count');
  section.classList.toggle('picking', selected.size > 0);
  if (words) words.textContent = selected.size ? words.dataset.words.replace('%s', selected.size) : '';
  const all = document.getElementById('select-all');
  if (all) {
    all.checked = boxes.length > 0 && boxes.every((box) => box.checked);
    all.indeterminate = !all.checked && selected.size > 0;
  }
  mark();
}

function select(box, isOn) {
  if (isOn) selected.add(box.value);
  else selected.delete(box.value);
}

export function clear() {
  const had = selected.size > 0;
  selected.clear();
  if (section) paint();
  return had;
}

const boxOf = (row) => row?.closest('.item')?.querySelector('.pick input');

export function toggle(row = here()) {
  const box = boxOf(row);
  if (!box) return;
  select(box, !selected.has(box.value));
  last = box;
  paint();
}

export function extend(by) {
  const all = rows();
  const at = all.indexOf(here());
  const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
  if (!next) return;
  for (const row of [all[at], next]) if (boxOf(row)) select(boxOf(row), true);
  next.focus();
  paint();
}

function upTo(box) {
  const boxes = Array.from(document.querySelectorAll('#rows .pick input'));
  const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((one, other) => one - other);
  if (from < 0) return;
  for (const between of boxes.slice(from, to + 1)) select(between, true);
}

// Whoever was in the list goes on in it, where the row stood that has left.
let stood = -1;
function goOn() {
  if (stood >= 0 && [null, document.body].includes(document.activeElement)) (rows()[stood] ?? rows().at(-1))?.focus();
  stood = -1;
}

async function apply(target, submitter) {
  const body = new FormData(target, submitter);
  if (target.id === 'bulk') for (const value of selected) if (!body.getAll('c').includes(value)) body.append('c', value);
  target.setAttribute('aria-busy', 'true');
  try {
    const answer = await request(target.getAttribute('action'), 'toasts', { method: 'POST', body });
    if (answer.status === 422) { fill(await (await again(target, body)).text()); return; }
    if (!answer.ok) throw answer;
    const content = parsed(await answer.text()).querySelector('.toast');
    if (!content) throw answer;
    // The next change is another one: a form sent twice by accident is not.
    for (const field of document.querySelectorAll('#bulk [name="client_id"]')) field.value = content.dataset.clientId;
    selected.clear();
    closeLayer();
    stood = rows().indexOf(document.activeElement?.closest?.('.item')?.querySelector('a.row'));
    held = null;
    toast(content, 60);
    paint();
    window.htmx.trigger('#rows', 'refresh', { force: true });
    window.htmx.trigger('#views', 'refresh');
  } catch (error) {
    explain(error);
  } finally {
    target.removeAttribute('aria-busy');
  }
}

// A refusal is a page: asked for once more as the content of the layer.
const again = (target, body) => request(target.getAttribute('action'), 'layer-body', { method: 'POST', body });

function start() {
  let isForced = false;
  document.addEventListener('refresh', (event) => { if (event.target === list()) isForced = true; });
  document.addEventListener('htmx:configRequest', (event) => {
    if (event.target === list()) event.detail.parameters.shown = list().querySelectorAll('li.item').length;
  });
  document.addEventListener('htmx:beforeRequest', (event) => {
    if (event.target !== list()) return;
    // Past what one answer holds, or on a later page of the list, the reader pages by hand.
    const isTooLong = list().querySelectorAll('li.item').length > 200 || list().dataset.later !== undefined;
    if (isTooLong || list().offsetParent === null) event.preventDefault();
  });
  document.addEventListener('htmx:beforeSwap', (event) => {
    if (event.detail.target !== list()) return;
    const html = event.detail.xhr.responseText;
    const fresh = new DOMParser().parseFromString(`<ul>${html}</ul>`, 'text/html');
    held = null;
    button().hidden = true;
    if (!isForced && isBusy() && ids(fresh) !== ids(list())) {
      event.detail.shouldSwap = false;
      held = html;
      button().hidden = false;
    }
    isForced = false;
  });
  document.addEventListener('htmx:beforeSend', (event) => { if (event.target === list()) isOnItsWay = true; });
  document.addEventListener('htmx:afterRequest', (event) => { if (event.target === list()) { isOnItsWay = false; arrange(); } });
  document.addEventListener('htmx:afterSwap', (event) => {
    if (section.contains(event.target)) { arrange(); paint(); }
    if (event.target === list()) goOn();
    const count = document.querySelector('#views [aria-current] .num')?.textContent ?? '';
    const shown = document.getElementById('list-count');
    if (event.target.id === 'views' && shown && !document.querySelector('.chips')) {
      shown.textContent = count;
      shown.hidden = !count;
    }
  });
  const offline = (isOff) => { const line = document.getElementById('list-offline'); if (line) line.hidden = !isOff; };
  document.addEventListener('htmx:sendError', () => offline(true));
  document.addEventListener('htmx:afterRequest', (event) => { if (event.detail.successful) offline(false); });
  for (const name of ['desk:list', 'desk:rows']) document.addEventListener(name, paint);

  section.addEventListener('click', (event) => {
    if (event.target.closest('#show-news')) show();
    if (event.target.closest('#select-none')) { clear(); section.focus(); }
    const box = event.target.closest('.pick input');
    const row = event.target.closest('a.row');
    if (row && event.shiftKey) {
      event.preventDefault();
      if (last) upTo(boxOf(row));
      select(boxOf(row), true);
      last = boxOf(row);
      paint();
    }
    if (!box) return;
    if (event.shiftKey && last) upTo(box);
    select(box, box.checked);
    last = box;
    paint();
  });
  section.addEventListener('change', (event) => {
    if (event.target.id !== 'select-all') return;
    for (const box of document.querySelectorAll('#rows .pick input')) select(box, event.target.checked);
    if (!event.target.checked) selected.clear();
    paint();
  });
  section.addEventListener('pointerout', (event) => { if (list() && !list().contains(event.relatedTarget) && !isBusy()) show(); });
  section.addEventListener('focusout', () => setTimeout(() => { if (list() && !isBusy()) show(); }));
  document.addEventListener('submit', (event) => {
    const target = event.target;
    if (event.defaultPrevented || !(target.id === 'bulk' || target.matches('[data-bulk]')) || target.closest('#main')) return;
    event.preventDefault();
    if (event.submitter?.matches('[data-more]')) {
      const query = new URLSearchParams(Array.from(selected, (value) => ['c', value]));
      query.set('focus', event.submitter.value);
      showLayer(`${target.getAttribute('action')}?${query}`);
    } else apply(target, event.submitter);
  });
}

if (section) start();
