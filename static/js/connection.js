// Whether the page is live is told in words; while its socket is down the page asks every few seconds instead.
import { isLive, on } from './live.js';

const RECONNECTING_AFTER = 5000;
let timer = 0;

function tell(state) {
  for (const sign of document.querySelectorAll('.live[data-off]')) {
    const label = sign.querySelector('.lbl');
    label.dataset.live ??= label.textContent;
    const text = state === 'live' ? label.dataset.live : sign.dataset[state];
    if (label.textContent === text) continue;
    sign.classList.toggle('off', state !== 'live');
    label.classList.toggle('vh', state === 'live' && label.dataset.quiet === '');
    label.textContent = text;
  }
}

let state = 'live';
function set(next) {
  clearTimeout(timer);
  state = next;
  tell(next);
}

on('up', () => set('live'));
on('down', ({ isOut }) => {
  clearTimeout(timer);
  if (isOut) set('out');
  else timer = setTimeout(() => set('off'), RECONNECTING_AFTER);
});
document.addEventListener('htmx:sendError', () => set('off'));
document.addEventListener('htmx:timeout', () => set('off'));
document.addEventListener('htmx:responseError', (event) => {
  const { status } = event.detail.xhr;
  // What is open may no longer be seen: the page says so itself.
  if (status === 404 && event.detail.target?.id === 'thread') location.reload();
  else if (status !== 404) set(status === 401 ? 'out' : 'off');
});
document.addEventListener('htmx:afterRequest', (event) => { if (event.detail.successful && state !== 'live') set('live'); });
document.addEventListener('htmx:afterSettle', () => { if (state !== 'live') tell(state); });
// A poll is what nothing has triggered: a hidden page does without, and so does one that is told.
document.addEventListener('htmx:beforeRequest', (event) => {
  const isPoll = event.detail.requestConfig.triggeringEvent === undefined && event.detail.elt.matches('#rows, #views');
  if (isPoll && (document.hidden || isLive())) event.preventDefault();
});
