// What an agent is told of: a line in the corner, a number in the title, a sound in one of the open tabs.
import { on } from './live.js';

// Asked for only when there is something to hear.
const sound = () => import('./sound.js');
const SHOWN_SECONDS = 10;
const MOST_SHOWN = 3;
const settings = document.getElementById('live-words')?.dataset ?? {};
const told = document.getElementById('told');
const chip = document.getElementById('sound-on');
const icon = document.querySelector('link[rel="icon"]');
const plain = icon?.getAttribute('href');
let unseen = 0;
let isOurs = false;

// One tab makes the noise: the first that has the lock, the next when it goes.
navigator.locks?.request('helpdesk:sound', () => new Promise(() => { isOurs = true; }));
if (!navigator.locks) isOurs = true;

const bare = (title) => title.replace(/^\(\d+\) /, '');

function paint() {
  const title = (unseen ? `(${unseen}) ` : '') + bare(document.title);
  if (document.title !== title) document.title = title;
  const wanted = unseen ? settings.dot : plain;
  if (icon && icon.getAttribute('href') !== wanted) icon.setAttribute('href', wanted);
  if (unseen) navigator.setAppBadge?.(unseen).catch(() => {});
  else navigator.clearAppBadge?.().catch(() => {});
}

function show({ conv, title, text, kind, url }) {
  const line = document.createElement('a');
  line.href = url ?? settings.conversationUrl.replace('0', conv);
  line.classList.toggle('alert', kind === 'risk');
  const who = document.createElement('strong');
  const what = document.createElement('span');
  [who.textContent, what.textContent] = [title, text];
  what.className = who.className = 'ell';
  line.append(who, what);
  told.prepend(line);
  while (told.childElementCount > MOST_SHOWN) told.lastElementChild.remove();
  const leave = () => { if (line.matches(':hover, :focus')) setTimeout(leave, 2000); else line.remove(); };
  setTimeout(leave, SHOWN_SECONDS * 1000);
}

on('note', (frame) => {
  const isOpen = !document.hidden && document.querySelector('[data-conversation]')?.dataset.conversation === String(frame.conv);
  if (frame.badge && document.hidden) { unseen += 1; paint(); }
  // What is in front of one's eyes is not told again.
  if (frame.toast && told && !isOpen) show(frame);
  if (frame.sound && isOurs && !isOpen) {
    sound().then(({ isSilent, play }) => {
      play(frame.sound, frame.volume);
      if (chip && isSilent()) chip.hidden = false;
    });
  }
});

// What waits for somebody rings on, after a reload as well.
if (sessionStorage.getItem('ringing')) import('./ring.js').then(({ again }) => again());
on('note', (frame) => { if (frame.rings) import('./ring.js').then(({ ring }) => ring(frame, () => isOurs)); });

document.addEventListener('visibilitychange', () => { if (!document.hidden) { unseen = 0; paint(); } });
document.addEventListener('desk:pane', paint);
// Browsers let a page sound once somebody has touched it, by key or by pointer.
const wake = () => sound().then(({ resume }) => resume()).then(() => { if (chip) chip.hidden = true; });
chip?.addEventListener('click', wake);
for (const kind of ['pointerdown', 'keydown']) document.addEventListener(kind, wake, { once: true, capture: true, passive: true });
