// The conversation that is shown: its thread, what comes to it, what of it is new, and that it was seen.
import { ask } from './api.js';
import { $, word } from './dom.js';
import { post } from './host.js';
import * as log from './log.js';
import * as outbox from './outbox.js';
import { isWatched, learn, state, tell, when } from './state.js';
import * as wire from './wire.js';

const SEEN_AFTER = 1000;
let items = [];
let first = 1;
let unread = 0;
let seen = 0;

export async function show(chat) {
  state.conv = chat?.conv ?? null;
  state.chat = chat ?? null;
  state.cursor = 0;
  state.mode = null;
  state.read = { agent: 0, visitor: 0 };
  first = 1;
  unread = 0;
  log.typing({ off: true });
  queue(0);
  $('rate').hidden = true;
  log.quietly(() => {
    log.clear();
    delete $('log').dataset.day;
  });
  if (chat) await fetchThread();
  else draw([]);
  wire.restart();
  tell('head');
}

async function fetchThread() {
  const { conv } = state;
  const answer = await ask('GET', `conversations/${conv}/thread`).catch(() => null);
  if (conv !== state.conv) return;
  if (!answer?.ok) {
    if (answer?.status === 404) await show(null);
    else draw([]);
    return;
  }
  const { head: upto, read, chat } = answer.data;
  state.cursor = upto;
  learn({ read, chat });
  draw(answer.data.items);
}

function draw(found) {
  items = found;
  log.quietly(() => {
    log.clear();
    delete $('log').dataset.day;
    unread = 0;
    for (const item of items) fact(item, true);
    for (const entry of outbox.pending(state.conv)) log.outgoing(entry);
    log.states();
  });
  first = items[0]?.seq ?? 1;
  $('older').hidden = first <= 1;
  log.toEnd();
  count();
}

$('older').addEventListener('click', async () => {
  const answer = await ask('GET', `conversations/${state.conv}/thread?before=${first}`).catch(() => null);
  if (!answer?.ok) return;
  const height = $('scroll').scrollHeight - $('scroll').scrollTop;
  draw([...answer.data.items, ...items]);
  $('scroll').scrollTop = $('scroll').scrollHeight - height;
});

export function fact(frame, isOld = false) {
  const { t, d = {}, seq } = frame;
  if (!isOld) items.push(frame);
  log.show(frame);
  if (t === 'msg.new') {
    if (d.by.k === 'customer') outbox.drop(d.cid);
    else if (seq > state.read.visitor) unread += 1;
    if (d.by.k === 'agent') log.typing({ off: true });
    $('rate').hidden = true;
  }
  if (t === 'sys') follow(d);
  if (t === 'csat.ask') import('./rating.js').then(({ offer }) => offer());
  if (!isOld) {
    log.states();
    count();
    watch();
    if (t === 'msg.new' && d.by.k !== 'customer') tell('said', d);
  }
}

function follow(d) {
  const { chat } = state;
  if (!chat) return;
  if (d.k === 'joined') Object.assign(chat, { state: 'active', agent: d.by?.name ? d.by : null });
  if (d.k === 'handed') chat.state = 'waiting';
  if (d.k === 'ended') chat.state = 'ended';
  if (d.k === 'converted') Object.assign(chat, { mode: 'ticket', state: 'ended' });
  if (d.k === 'joined') queue(0);
  tell('head');
}

export function queue(position) {
  $('queue').hidden = !position;
  if (position) $('queue').textContent = position > 1 ? word('place', position) : word('next');
}

// Seen: the end was in sight for a second.
export function watch() {
  clearTimeout(seen);
  if (!state.conv || !isWatched() || !log.isAtEnd() || state.cursor <= state.read.visitor) return;
  seen = setTimeout(() => {
    if (!isWatched() || !log.isAtEnd()) return;
    state.read.visitor = state.cursor;
    wire.seen(state.cursor);
    unread = 0;
    count();
  }, SEEN_AFTER);
}
const count = () => post({ t: 'unread', count: unread });
$('scroll').addEventListener('scroll', watch, { passive: true });
document.addEventListener('visibilitychange', watch);

when('fact', (frame) => fact(frame));
when('typing', log.typing);
when('queue', queue);
when('outgoing', (entry) => { if (entry.conv === state.conv) log.outgoing(entry); });
when('retry', outbox.retry);
when('choose', show);
when('reset', fetchThread);
when('arrived', async ({ entry, data, isOther }) => {
  if (isOther && entry.conv === state.conv) {
    Object.assign(state, { conv: data.conv, chat: data.state ? data : null, cursor: 0 });
    if (entry.form?.email) state.me.email ||= entry.form.email;
    if (entry.form?.name) state.me.name ||= entry.form.name;
    if (entry.conv === null) {
      items = [];
      wire.restart();
    } else await show(data);
    tell('head');
  }
  log.accepted(entry.cid);
});
