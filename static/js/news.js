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

// The server is told which rows are shown, and sends them drawn anew when they change: put right where they stand, at once.
// Which rows there are, and in which order, may take a moment.
let told = null;
// What came of them is newer than a list that was on its way meanwhile.
const fresh = new Map();
function tellRows() {
  const shown = Array.from(document.querySelectorAll('#rows li.item'), (row) => Number(row.id.slice(1)));
  if (told === shown.join()) return;
  told = shown.join();
  for (const number of fresh.keys()) if (!shown.includes(Number(number))) fresh.delete(number);
  say('list', { rows: shown, lang: document.documentElement.lang });
}
on('welcome', () => { told = null; tellRows(); });

function draw(changed) {
  for (const [number, html] of changed) {
    const shown = document.getElementById(`c${number}`);
    if (shown) window.Idiomorph.morph(shown, parsed(html).querySelector('li'), { ignoreActiveValue: true });
  }
}
on('rows', ({ v }) => {
  for (const [number, html] of Object.entries(v)) fresh.set(number, html);
  draw(Object.entries(v));
  document.dispatchEvent(new CustomEvent('desk:rows'));
  document.dispatchEvent(new CustomEvent('htmx:afterSettle'));
});
on('down', () => fresh.clear());
for (const name of ['htmx:afterSwap', 'desk:list']) {
  document.addEventListener(name, (event) => {
    if (name === 'desk:list' || event.target.closest('#list')) { draw(fresh); tellRows(); }
  });
}

const rows = gathered(() => triggered('rows'), { after: 100, times: 60, longest: 4000 });
const conversation = gathered(async () => { document.dispatchEvent(new CustomEvent('conversation:changed')); }, { after: 20, times: 4, longest: 300 });

on('ev', (frame) => {
  if (frame.conv === opened()) conversation();
  if (frame.k !== 'msg.edit') rows();
});
on('count', ({ v }) => {
  for (const place of document.querySelectorAll('[data-count]')) {
    const number = v[place.dataset.count] ?? '';
    if (place.textContent !== number) place.textContent = number;
    place.hidden = !number;
  }
});
const all = () => { conversation(); rows(); triggered('views'); };
on('stale', all);
on('up', rows);
document.addEventListener('visibilitychange', () => {
  // A page that nobody sees is sent no rows.
  if (document.hidden) fresh.clear();
  else if (isLive()) all();
});

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
