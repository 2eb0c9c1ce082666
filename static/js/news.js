// What the socket tells of becomes visible: rows, numbers and the open conversation are asked for anew, not too often.
import { parsed, request } from './layers.js';
import { isLive, on } from './live.js';

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

// Rows that are shown are put right where they stand, at once; which rows there are, and in which order, may take a moment.
const changed = new Set();
async function putRight() {
  const list = document.getElementById('rows');
  const only = Array.from(changed).slice(0, 100);
  changed.clear();
  if (!list || !only.length) return;
  const answer = await request(`${list.getAttribute('hx-get').replace('?', 'some/?')}&only=${only.join()}`, 'rows');
  if (!answer.ok) return;
  for (const row of parsed(await answer.text()).querySelectorAll('li.item')) {
    const shown = document.getElementById(row.id);
    if (shown) window.Idiomorph.morph(shown, row, { ignoreActiveValue: true });
  }
  document.dispatchEvent(new CustomEvent('htmx:afterSettle'));
}

const some = gathered(putRight, { after: 50, times: 4, longest: 2000 });
const rows = gathered(() => triggered('rows'), { after: 100, times: 150, longest: 8000 });
const numbers = gathered(() => triggered('views'), { after: 100, times: 150, longest: 8000 });
const conversation = gathered(async () => { document.dispatchEvent(new CustomEvent('conversation:changed')); }, { after: 20, times: Infinity, longest: 300 });

on('ev', (frame) => {
  if (frame.conv === opened()) conversation();
  if (document.getElementById(`c${frame.conv}`)) { changed.add(frame.conv); some(); }
  rows();
});
on('count', numbers);
const all = () => { conversation(); rows(); numbers(); };
on('stale', all);
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
