// What happens comes by a socket, in the order of its numbers and without a gap; where a proxy breaks sockets, by long
// polls. Nothing is lost when either breaks: it goes on from the last number that is shown.
import { ask, call, session } from './api.js';
import { config, language, zone } from './dom.js';
import { isWatched, learn, state, tell, when } from './state.js';

const SILENCE = 45000;
const OPENING = 8000;
const GAP = 2000;
const RECENT = 86400000;
const UPGRADES = 3;
const SOCKET_AGAIN = 300000;
const UNREAD_EVERY = 60000;
const FINAL = [4403, 4426];
let socket = null;
let isUp = false;
let isOver = false;
let isRenewed = false;
let tries = 0;
let refused = 0;
let pollsSince = 0;
let polling = null;
let isPolled = false;
let heard = 0;
let timer = 0;
let hiddenAt = 0;
let askedAt = 0;
const held = new Map();

export const isLive = () => isUp || isPolled;
// Who has no socket posts what agents see at once; the poll itself says that they are there.
const POSTED = ['typing', 'page', 'track'];
export const whisper = (t, fields = {}) => {
  if (isUp) socket.send(JSON.stringify({ t, ...fields }));
  else if (isPolled && POSTED.includes(t)) call('POST', `conversations/${state.conv}/whispers`, { t, ...fields }).catch(() => null);
};

// A socket only for those who look, are in a live chat (also on another tab: it rings), or talked lately.
export const isWanted = () => {
  if (!state.session || isOver) return false;
  if (state.shown || (state.chat?.mode === 'chat' && state.chat.state !== 'ended')) return true;
  return state.conv !== null && document.visibilityState === 'visible' && Date.now() - (state.chat?.latest ?? state.chat?.started ?? 0) < RECENT;
};

const does = {
  welcome(frame) {
    isUp = true;
    refused = 0;
    isRenewed = false;
    setTimeout(() => { if (isUp) tries = 0; }, 10000);
    learn(frame);
    tell('up');
    whisper('vis', { panel: state.shown, tab: document.visibilityState === 'visible' });
  },
  ping(frame) {
    whisper('pong', { head: state.cursor });
    if (frame.head > state.cursor) setTimeout(() => { if (frame.head > state.cursor) resync(); }, GAP);
  },
  reset({ head }) {
    held.clear();
    state.cursor = head;
    tell('reset');
  },
  read(frame) {
    if (frame.by === 'agent' && frame.upto > state.read.agent) learn({ read: { agent: frame.upto } });
  },
  avail: (frame) => learn({ avail: frame.avail ?? frame }),
  team: (frame) => learn({ team: frame.team }),
  typing: (frame) => tell('typing', frame),
  queue: (frame) => tell('queue', frame.position),
  err: (frame) => tell('err', frame),
};

function take(frame) {
  if (frame.conv && frame.conv !== state.conv) return;
  if (!frame.seq) {
    does[frame.t]?.(frame);
    return;
  }
  if (frame.seq <= state.cursor) return;
  held.set(frame.seq, frame);
  while (held.has(state.cursor + 1)) {
    state.cursor += 1;
    const next = held.get(state.cursor);
    held.delete(state.cursor);
    if (state.chat) state.chat.latest = next.d?.at ?? Date.now();
    tell('fact', next);
  }
  if (held.size) resync();
}

// At most once a second: what is missing is on its way already.
function resync() {
  if (Date.now() - askedAt < 1000) return;
  askedAt = Date.now();
  whisper('sync', { after: state.cursor });
}

export function connect() {
  clearTimeout(timer);
  if (socket || polling || !isWanted()) return;
  if (refused >= UPGRADES && Date.now() - pollsSince < SOCKET_AGAIN) {
    poll();
    return;
  }
  const mine = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws/chat`, 'desk.v1');
  socket = mine;
  heard = Date.now();
  held.clear();
  mine.onopen = () => mine.send(JSON.stringify({
    t: 'hello', v: 1, key: config.key, session: state.session, conv: state.conv, after: state.cursor,
    tz: zone, lang: language, panel: isWatched(), ...(config.pages ? { page: state.page } : {}),
  }));
  mine.onmessage = (event) => {
    if (mine !== socket) return;
    heard = Date.now();
    take(JSON.parse(event.data));
  };
  mine.onclose = (event) => { if (mine === socket) lost(event.code); };
}

async function lost(code) {
  if (!isUp && code < 4000) refused += 1;
  if (refused === UPGRADES) pollsSince = Date.now();
  socket = null;
  isUp = false;
  tell('down');
  if (FINAL.includes(code)) {
    isOver = true;
    tell('over', code);
    return;
  }
  if (code === 4401) {
    if (isRenewed) return;
    isRenewed = true;
    try { await session(true); } catch { return; }
    tell('renewed');
  }
  again(refused >= UPGRADES ? 0 : undefined);
}

function again(milliseconds) {
  clearTimeout(timer);
  const most = Math.min(document.hidden ? 60000 : 30000, 500 * 2 ** Math.min(tries, 7));
  tries += 1;
  timer = setTimeout(connect, milliseconds ?? Math.random() * most);
}

// Another conversation, another session: the same words on a new line.
export function restart() {
  const old = socket;
  socket = null;
  isUp = false;
  polling?.abort();
  polling = null;
  isPolled = false;
  old?.close();
  tell('down');
  connect();
}

async function poll() {
  const mine = new AbortController();
  polling = mine;
  isPolled = false;
  while (polling === mine && isWanted() && Date.now() - pollsSince < SOCKET_AGAIN) {
    const conv = state.conv;
    try {
      if (!conv) await new Promise((resolve) => { setTimeout(resolve, 1000); });
      else {
        const answer = await call('GET', `conversations/${conv}/events?after=${state.cursor}&wait=${isPolled ? 25 : 0}&panel=${+isWatched()}`, undefined, { signal: mine.signal });
        if (answer.status === 401) await session(true);
        else if (!answer.ok) throw new Error(answer.status);
        else if (conv === state.conv) for (const frame of answer.data.frames) take(frame);
        if (!isPolled) {
          isPolled = true;
          tries = 0;
          tell('up');
        }
      }
    } catch {
      if (polling !== mine) return;
      // Nothing gets through: that is no proxy's doing.
      if (!isPolled) refused = 0;
      polling = null;
      isPolled = false;
      tell('down');
      again();
      return;
    }
  }
  if (polling !== mine) return;
  polling = null;
  isPolled = false;
  if (Date.now() - pollsSince >= SOCKET_AGAIN) refused = UPGRADES - 1;
  connect();
}

export async function seen(upto) {
  if (isUp) whisper('read', { upto });
  else await call('POST', `conversations/${state.conv}/read`, { upto }).catch(() => null);
}

// Closed, and long since anybody wrote: whether there is something new is asked once a minute.
setInterval(async () => {
  if (!state.session || state.conv === null || isLive() || isWanted() || document.visibilityState === 'hidden') return;
  const answer = await ask('GET', 'conversations').catch(() => null);
  const mine = answer?.data.conversations?.find((one) => one.conv === state.conv);
  if (mine && mine.head > state.cursor) tell('reset');
}, UNREAD_EVERY);

function looked() {
  whisper('vis', { panel: state.shown, tab: document.visibilityState === 'visible' });
  if (document.visibilityState === 'hidden') hiddenAt = Date.now();
  else if (isUp && hiddenAt && Date.now() - hiddenAt > 30000) {
    // Some systems leave dead sockets that look open.
    const before = heard;
    whisper('sync', { after: state.cursor });
    setTimeout(() => { if (isUp && heard === before) restart(); }, 3000);
  }
  if (!socket && document.visibilityState === 'visible') connect();
  if (socket && !isWanted()) { const old = socket; socket = null; isUp = false; old.close(); }
}
when('shown', looked);
document.addEventListener('visibilitychange', looked);
window.addEventListener('online', () => connect());
window.addEventListener('pageshow', () => connect());
window.addEventListener('offline', () => { if (socket) { const old = socket; lost(1001); old.close(); } });
setInterval(() => {
  if (!socket || Date.now() - heard <= (isUp ? SILENCE : OPENING)) return;
  const old = socket;
  // Some proxies never answer: each try would cost as long.
  if (!isUp) refused = UPGRADES - 1;
  lost(1001);
  old.close();
}, 3000);
