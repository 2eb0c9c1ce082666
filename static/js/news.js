// What the socket tells of becomes visible: rows and numbers come by it, lists and the open conversation are asked for.
import { parsed } from './layers.js';
import { isLive, on, say } from './live.js';

const opened = () => Number(document.getElementById('head')?.closest('[data-conversation]')?.dataset.conversation ?? 0);

// A burst is gathered. How long the server is then left in peace depends on how long it took: `times` as long, and at
// most `longest` milliseconds, so that a busy one stays quick for what people do.
function gathered(ask, { after, times, longest }) {
  let timer = 0;
  let isOwed = false;
  return function soon() {
    isOwed = true;
    if (timer || document.hidden) return;
    isOwed = false;
    timer = setTimeout(async () => {
      const began = performance.now();
      try {
        await ask();
      } finally {
        const pause = Math.min(times * (performance.now() - began), longest);
        timer = setTimeout(() => { timer = 0; if (isOwed) soon(); }, pause);
      }
    }, after);
  };
}

// Done when the answer to what was triggered has come.
function triggered(id) {
  const element = document.getElementById(id);
  if (!element) return Promise.resolve();
  return new Promise((done) => {
    const end = (event) => { if (event.target === element) { document.removeEventListener('htmx:afterRequest', end); done(); } };
    document.addEventListener('htmx:afterRequest', end);
    setTimeout(() => { document.removeEventListener('htmx:afterRequest', end); done(); }, 2000);
    window.htmx.trigger(element, 'news');
  });
}

// The server is told what the list shows, and says at once what changes in it, comes to it and leaves it (queue.js).
let told = '';
let pause = 0;
function tellRows() {
  if (pause) return;
  pause = setTimeout(() => { pause = 0; tellRows(); }, 300);
  const list = document.getElementById('rows');
  const shown = Array.from(list?.querySelectorAll('li.item') ?? []);
  const rows = shown.map((row) => Number(row.id.slice(1)));
  const isLater = list?.dataset.later !== undefined;
  const view = isLater ? undefined : document.querySelector('.list-bar')?.dataset.query;
  // Where there are more, what belongs after these is on the next page.
  const upto = list?.querySelector('.more') ? Number(shown.at(-1)?.dataset.place) : undefined;
  const frame = { rows, lang: document.documentElement.lang, view, upto };
  if (told === JSON.stringify(frame)) { clearTimeout(pause); pause = 0; return; }
  told = JSON.stringify(frame);
  say('list', frame);
}
on('welcome', () => { clearTimeout(pause); pause = 0; told = ''; tellRows(); });
for (const name of ['htmx:afterSwap', 'desk:list']) {
  document.addEventListener(name, (event) => { if (name === 'desk:list' || event.target.closest('#list')) tellRows(); });
}

const list = () => triggered('rows');
// Rows come by the socket; what moves up from the next page, and what no event tells, is looked for in quiet.
const rows = gathered(list, { after: 30000, times: 60, longest: 4000 });
const conversation = () => document.dispatchEvent(new CustomEvent('conversation:changed'));

on('ev', (frame) => { if (frame.k !== 'msg.edit') rows(); });
on('count', ({ v }) => {
  for (const place of document.querySelectorAll('[data-count]')) {
    const number = v[place.dataset.count] ?? '';
    if (place.textContent !== number) place.textContent = number;
    place.hidden = !number;
  }
});
const all = () => { conversation(); list(); triggered('views'); };
on('stale', all);
on('up', list);
// A page that nobody sees is sent no rows.
document.addEventListener('visibilitychange', () => { if (!document.hidden && isLive()) all(); });

// Another version of the pages is being served: said quietly, and taken when nobody looks and nothing is half-written.
on('welcome', ({ build }) => {
  const chip = document.getElementById('new-version');
  const mine = document.getElementById('live-words').dataset.build;
  if (!chip || !build || !mine || build === mine) return;
  chip.hidden = false;
  document.addEventListener('visibilitychange', () => {
    const isWriting = Array.from(document.querySelectorAll('textarea')).some((field) => field.value !== field.defaultValue);
    if (document.hidden && !isWriting) location.reload();
  });
});
on('down', ({ isOld }) => { if (isOld) document.getElementById('new-version').hidden = false; });
document.getElementById('new-version')?.addEventListener('click', () => location.reload());
