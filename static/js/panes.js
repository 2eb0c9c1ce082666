// Conversations open beside the list: only their pane changes, the address goes along, and the list stays as it is.
// Tells document `desk:pane` when the pane's content is new, and `desk:leave` before it goes.
import { adopt, close as closeLayer, explain, fill, parsed, request } from './layers.js';
import { equip } from './equip.js';

const work = document.querySelector('.work');
const list = document.getElementById('list');
const pane = document.getElementById('main');
const CONVERSATION = /^\/desk\/conversations\/(\d+)\/$/;
const FRESH = 20000;
const PREFETCH_AFTER = 120;
const kept = new Map();
let opening = 0;
// The place of what is open in the list.
let stood = -1;
// Where the list is when nothing is open: as it was called, so that going back finds it.
let home = list && work.dataset.panes === 'list' ? location.pathname + location.search : '';

const path = (url) => new URL(url, location.href).pathname;
const number = (url) => CONVERSATION.exec(path(url))?.[1];
const tell = (what, detail = {}) => document.dispatchEvent(new CustomEvent(what, { detail }));
export const rows = () => Array.from(document.querySelectorAll('#rows a.row'));
export const current = () => document.querySelector('#rows a.row[aria-current]');
const bar = () => document.querySelector('.list-bar');

// The row of what is open, or the one that has the focus.
export const here = () => document.activeElement?.closest?.('.item')?.querySelector('a.row') ?? current();

async function fetched(url) {
  const answer = await request(url, 'main');
  if (!answer.ok) throw answer;
  return { html: await answer.text(), url: answer.url };
}

function prefetch(url) {
  const known = kept.get(url);
  if (known && Date.now() - known.at < FRESH) return known.answer;
  const answer = fetched(url);
  // Whoever opens it asks again and is told what is wrong.
  answer.catch(() => kept.delete(url));
  kept.set(url, { at: Date.now(), answer });
  for (const old of kept.keys()) if (kept.size > 3) kept.delete(old);
  return answer;
}

const isSparing = () => navigator.connection?.saveData === true;
let soon = 0;
function prefetchSoon(row) {
  clearTimeout(soon);
  if (row && !isSparing()) soon = setTimeout(() => prefetch(row.pathname), PREFETCH_AFTER);
}

export async function put(html) {
  const content = parsed(html);
  const [title, head] = [content.querySelector('title'), content.querySelector('template[data-head]')];
  await Promise.all([adopt(head), equip(content)]);
  tell('desk:leave');
  title?.remove();
  head?.remove();
  for (const open of document.querySelectorAll(':popover-open')) open.hidePopover();
  pane.replaceChildren(content);
  pane.scrollTop = 0;
  window.htmx.process(pane);
  if (title) document.title = title.textContent;
  arrange('both');
  mark();
  tell('desk:pane', { id: number(location.href) });
}

function arrange(panes) {
  work.dataset.panes = panes;
  const skip = document.querySelector('.skip');
  if (skip) skip.hash = panes === 'list' ? '#list' : '#main';
}

// Which row is open: kept right when the list is drawn anew.
export function mark() {
  const id = work?.dataset.panes === 'both' ? number(location.href) : undefined;
  for (const row of rows()) {
    if (number(row.href) === id) row.setAttribute('aria-current', 'true');
    else row.removeAttribute('aria-current');
  }
  const at = rows().indexOf(current());
  if (at >= 0 || !id) stood = at;
}

// What is done with has left the list: the next one stands where it stood.
function neighbour(by) {
  const all = rows();
  const at = all.indexOf(current());
  return at < 0 ? all[by > 0 ? stood : stood - 1] : all[at + by];
}

export async function open(url, { push = true } = {}) {
  const turn = ++opening;
  const address = path(url);
  work.classList.add('loading');
  try {
    const known = kept.get(address);
    const answer = known && Date.now() - known.at < FRESH ? await known.answer : await fetched(address);
    if (turn !== opening) return;
    kept.delete(address);
    if (push) history.pushState({ desk: true }, '', address);
    await put(answer.html);
    current()?.scrollIntoView({ block: 'nearest' });
    (document.getElementById('scroll') ?? pane).focus({ preventScroll: true });
    prefetchSoon(neighbour(1));
  } catch (error) {
    if (turn === opening) explain(error);
  } finally {
    if (turn === opening) work.classList.remove('loading');
  }
}

export function close({ push = true } = {}) {
  opening += 1;
  const row = current();
  tell('desk:leave');
  pane.replaceChildren();
  if (push) history.pushState({ desk: true }, '', home);
  document.title = bar().dataset.title;
  arrange('list');
  mark();
  row?.scrollIntoView({ block: 'nearest' });
  (row ?? list).focus({ preventScroll: true });
  tell('desk:pane');
}

export function step(by) {
  const next = neighbour(by);
  if (next) open(next.href);
}

const isPlain = (event) => !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button);

async function fillList() {
  const query = sessionStorage.getItem('desk:view') ?? 'view=reply';
  const ask = async (asked) => {
    const answer = await request(`${list.dataset.src}?${asked}`, 'list');
    if (!answer.ok) throw answer;
    return answer.text();
  };
  try {
    const html = await ask(query).catch((error) => (error.status === 404 ? ask('view=reply') : Promise.reject(error)));
    list.replaceChildren(parsed(html));
    window.htmx.process(list);
    tell('desk:list');
    window.htmx.trigger('#views', 'refresh');
    current()?.scrollIntoView({ block: 'center' });
  } catch (error) {
    list.replaceChildren();
    if (error instanceof Response) explain(error);
  }
}

// Forms of the pane answer into the pane: what the server redirects to is shown, the list stays.
async function submit(form, submitter) {
  const body = new FormData(form, submitter);
  const action = submitter?.getAttribute('formaction') ?? form.getAttribute('action');
  work.classList.add('loading');
  try {
    const answer = await request(action, 'main', { method: 'POST', body });
    if (!answer.ok && ![409, 422].includes(answer.status)) throw answer;
    if (!number(answer.url) && answer.redirected) { location.assign(answer.url); return; }
    if (!pane.contains(form)) {
      if (!answer.ok) { await fill(await answer.text()); return; }
      closeLayer();
    }
    // What was written is sent, what was chosen is saved: keys are keys again. Elsewhere the focus stays where it was.
    const focused = form.matches('[data-composer], [data-saves]') ? '' : document.activeElement?.id;
    if (number(answer.url) && path(answer.url) !== location.pathname) history.pushState({ desk: true }, '', path(answer.url));
    kept.clear();
    await put(await answer.text());
    ((focused && pane.querySelector(`#${CSS.escape(focused)}`)) || document.getElementById('scroll') || pane).focus({ preventScroll: true });
    window.htmx.trigger('#rows', 'refresh');
    window.htmx.trigger('#views', 'refresh');
  } catch (error) {
    delete form.dataset.sending;
    form.removeAttribute('aria-busy');
    explain(error);
  } finally {
    work.classList.remove('loading');
  }
}

function start() {
  history.replaceState({ desk: true }, '');
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[href]');
    if (!link || !isPlain(event) || event.defaultPrevented || link.target) return;
    if (link.matches('[data-back]') && bar()) { event.preventDefault(); close(); return; }
    const isOurs = link.closest('#list, #main') && number(link.href) && !link.hash && !link.search;
    if (isOurs && link.origin === location.origin) { event.preventDefault(); open(link.href); }
  });
  document.addEventListener('submit', (event) => {
    const form = event.target;
    // What goes into the reply is the composer's, whichever of the two was loaded first.
    if (event.defaultPrevented || form.matches('[data-inserts]') || !(pane.contains(form) || form.matches('[data-pane]')) || form.method !== 'post' || !number(location.href)) return;
    event.preventDefault();
    submit(form, event.submitter);
  });
  window.addEventListener('popstate', () => {
    if (number(location.href)) open(location.href, { push: false });
    else if (bar() && location.pathname + location.search === home) close({ push: false });
    else location.reload();
  });
  document.addEventListener('pointerover', (event) => prefetchSoon(event.target.closest?.('#rows a.row')));
  document.addEventListener('desk:list', () => {
    if (bar()) {
      sessionStorage.setItem('desk:view', bar().dataset.query);
      home ||= bar().dataset.href;
    }
    mark();
  });
  document.addEventListener('htmx:configRequest', (event) => {
    // The navigation marks the view of the list beside the conversation.
    if (event.target.id === 'views' && bar()) event.detail.path = event.detail.path.replace(/\?.*/, `?${bar().dataset.query}`);
  });
  tell('desk:list');
  const wide = matchMedia('(min-width: 768px)');
  const fill = () => { if (wide.matches && list.dataset.src && !list.firstElementChild) fillList(); };
  wide.addEventListener('change', fill);
  fill();
}

if (work && list) start();
