// The panel: brings its parts together, and follows what the page around it and the server say.
import { ask, call, restore, session } from './api.js';
import * as composer from './composer.js';
import { $, clock, config, date, face, make, moment, say, word } from './dom.js';
import { keep, meet, on, post } from './host.js';
import * as log from './log.js';
import * as outbox from './outbox.js';
import { isWatched, learn, state, tell, when } from './state.js';
import * as talk from './talk.js';
import * as wire from './wire.js';

const OFFLINE_AFTER = 5000;
const TAKEN_UP = 7 * 86400000;
let isMute = false;
let offline = 0;
let turning = 0;
let ready = null;

const root = document.documentElement;
root.style.setProperty('--brand', config.color);
root.style.setProperty('--brand-ink', config.ink);

// Header

function head() {
  const { avail, team, chat, entitle } = state;
  const agent = chat?.state === 'active' ? chat.agent : null;
  $('faces').replaceChildren(...(agent ? [agent] : team).map(face));
  $('title').textContent = agent?.name || $('title').dataset.talk;
  const back = avail.next_open ? word('back_at', moment(avail.next_open)) : '';
  const until = avail.closes_at - Date.now() < 86400000 && avail.closes_at ? word('open_until', clock(avail.closes_at)) : '';
  const parts = agent ? [word('here', agent.name)] : !avail.open ? [back] : !avail.live ? [word('away')] : [chat?.mode !== 'ticket' && entitle.chat === 'live' && avail.says, until];
  $('about').textContent = parts.filter(Boolean).join(' · ');
  $('start').hidden = state.conv !== null;
  $('start').querySelector('.hello').textContent = config.greeting || word('greeting');
  const isLive = entitle.chat === 'live';
  $('ways').hidden = isLive || state.mode === 'ticket';
  $('until').hidden = !isLive || !entitle.until || !avail.live;
  if (entitle.until) $('until').textContent = word('live_until', date(entitle.until - 1));
  $('go-new').hidden = state.conv === null;
  $('go-mail').hidden = state.conv === null;
  $('go-end').hidden = !chat || chat.mode !== 'chat' || chat.state === 'ended';
  hint();
  composer.dress();
  clearTimeout(turning);
  const turn = avail.open ? avail.closes_at : avail.next_open;
  if (turn) turning = setTimeout(refresh, Math.min(Math.max(turn - Date.now(), 0) + 61000, 2 ** 31 - 1));
}

// Office hours begin or end: what was known of them is over.
async function refresh() {
  const answer = await fetch(`/chat/config?${new URLSearchParams({ key: config.key, lang: root.lang })}`, { cache: 'reload' }).catch(() => null);
  if (answer?.ok) learn(await answer.json());
}

function hint() {
  const isLeisurely = !state.avail.live || state.mode === 'ticket';
  const line = $('hint');
  const isOver = state.chat?.mode === 'chat' && state.chat.state === 'ended';
  if (isOver && !isLeisurely) line.textContent = '';
  else if (state.me.email) line.textContent = word('mail_hint', state.me.email);
  else if (isLeisurely) line.textContent = word('closed_hint');
  else if (state.conv) {
    if (!line.querySelector('button')) line.replaceChildren(make('button', { type: 'button', className: 'soft', onclick: () => sheet('mail', 'address') }, word('leave')));
  } else line.textContent = '';
}

// What lies over the conversation comes when it is asked for.
const sheet = async (act, ...given) => (await import('./sheets.js'))[act](...given);

// Ways

$('way-book').addEventListener('click', () => sheet('book', $('text').value.trim()));
$('way-mail').addEventListener('click', () => {
  state.mode = 'ticket';
  head();
  ($('ask').hidden ? $('text') : $('ask').querySelector('label:not([hidden]) input')).focus();
});

when('refused', ({ entry, code }) => {
  log.remove(entry.cid);
  composer.put(entry.text);
  if (code === 'email') {
    state.mode = 'ticket';
    head();
    composer.complain(word('need_email'), $('email'));
    return;
  }
  state.refused = true;
  state.entitle = { chat: 'schedule', until: null };
  head();
  $('ways').querySelector('button').focus();
});

// What the parts tell each other

when('head', head);
when('said', (d) => {
  post({ t: 'message', message: { text: d.text, by: d.by.name ?? '', at: d.at } });
  if (!isMute && !(isWatched() && document.hasFocus())) import('./sound.js').then(({ ring }) => ring());
});
when('state', () => {
  head();
  log.states();
  post({ t: 'visitor', id: state.visitor });
});
when('slow', () => say(word('slow')));
when('notice', (text) => {
  $('log').append(make('p', { className: 'sys' }, text));
  log.toEnd();
});
when('booked', (text) => tell('notice', text));
when('up', () => {
  clearTimeout(offline);
  offline = 0;
  $('link').textContent = '';
});
when('down', () => {
  offline ||= setTimeout(() => { if (!wire.isLive() && wire.isWanted()) $('link').textContent = word('offline'); }, OFFLINE_AFTER);
});
when('renewed', () => start());
when('over', (code) => { if (code === 4426) location.reload(); });

// Menu

const menu = (isOpen) => {
  $('menu').hidden = !isOpen;
  $('more').setAttribute('aria-expanded', String(isOpen));
};
$('more').addEventListener('click', () => {
  menu($('menu').hidden);
  if (!$('menu').hidden) $('menu').querySelector('button').focus();
});
document.addEventListener('click', (event) => { if (!event.target.closest('#more')) menu(false); });
$('go-past').addEventListener('click', () => sheet('past'));
$('go-book').addEventListener('click', () => sheet('book'));
$('go-mail').addEventListener('click', () => sheet('mail', 'transcript'));
$('go-end').addEventListener('click', () => sheet('open', 'end'));
$('go-new').addEventListener('click', async () => { await talk.show(null); composer.focus(); });
$('sound').addEventListener('click', () => mute(!isMute));
function mute(is) {
  isMute = is;
  $('sound').setAttribute('aria-pressed', String(!is));
  keep('.mute', is ? '1' : null);
}
$('back').addEventListener('click', () => sheet('close'));
$('close')?.addEventListener('click', () => post({ t: 'close' }));
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.isComposing) return;
  if (!$('menu').hidden) {
    menu(false);
    $('more').focus();
  } else if (!$('emoji').hidden) $('smile').click();
  else if (!$('back').hidden) sheet('close');
  else post({ t: 'close' });
});

// The page around us

async function start() {
  await session();
  const answer = await ask('GET', 'conversations');
  const newest = answer.data.conversations?.[0];
  const isGoing = newest && (newest.state !== 'ended' || newest.head > newest.read || Date.now() - newest.started < TAKEN_UP);
  await talk.show(isGoing ? newest : null);
}

const started = () => (ready ??= start().catch((error) => {
  ready = null;
  if (error.data?.says) $('link').textContent = error.data.says;
  else setTimeout(started, 5000);
}));

on('boot', async (given) => {
  $('title').dataset.talk = $('title').textContent;
  state.page = given.page;
  mute(given.mute === '1');
  outbox.load(given.outbox);
  composer.put(given.draft);
  state.shown = given.shown;
  head();
  await restore(given.session, given.user, given.isPortal).catch(() => null);
  if (given.resume) await (await import('./resume.js')).resume(given.resume);
  post({ t: 'ready' });
  if (state.shown || state.session) {
    await started();
    outbox.flush();
  }
  tell('shown');
  talk.watch();
  if (given.isBooking) sheet('book');
  else if (given.shown && !$('close')) composer.focus();
});

on('show', async ({ focus, text, page, full }) => {
  state.shown = true;
  if (full) import('./back.js').then(({ open }) => { if (state.shown) open(); });
  state.page = page ?? state.page;
  if (text) composer.put(text);
  // Who writes already is not led away.
  if (focus && !document.activeElement.matches('input, textarea')) ($('ask').hidden ? $('text') : $('ask').querySelector('label:not([hidden]) input') ?? $('text')).focus();
  await started();
  tell('shown');
  log.toEnd();
  talk.watch();
  if (config.pages) wire.whisper('page', state.page);
});
on('hide', () => {
  state.shown = false;
  tell('hidden');
  menu(false);
  tell('shown');
});
on('update', async ({ page, user }) => {
  state.page = page;
  if (config.pages) wire.whisper('page', page);
  if (!user) return;
  await restore(JSON.stringify({ s: state.session, u: state.whose }), user, false).catch(() => null);
  await start();
});
on('shutdown', async () => {
  if (state.session) await call('DELETE', 'session', undefined, { keepalive: true }).catch(() => null);
});
on('track', async (given) => (await import('./track.js')).track(given));

// A place for what another part of the helpdesk knows: incidents that concern this visitor.
const troubles = () => { if ($('incident').dataset.from) import('./incidents.js').then(({ look }) => look()); };
when('up', troubles);
// The house tells what begins, goes on and ends; where it tells nobody, it is seen within a minute.
when('said', ({ by }) => { if (by.k === 'system') troubles(); });
setInterval(() => { if (isWatched()) troubles(); }, 60000);

meet();
