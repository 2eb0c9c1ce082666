// The page's socket: facts come by it, HTML is asked for. Nothing is lost when it breaks: it goes on from the last event.
// While it is up nobody polls; while it is down the page asks every few seconds, as without it (connection.js).
const CODES = { out: 4401, old: 4426 };
const FINAL = [4401, 4403, 4426];
const SILENCE = 45000;
const listeners = new Map();
let socket = null;
let cursor = 0;
let tries = 0;
let heard = 0;
let timer = 0;
let isUp = false;
let isOver = false;

export const isLive = () => isUp;
export const on = (name, listener) => listeners.set(name, [...(listeners.get(name) ?? []), listener]);
const tell = (name, frame = {}) => { for (const listener of listeners.get(name) ?? []) listener(frame); };

export function say(t, fields = {}) {
  if (isUp) socket.send(JSON.stringify({ t, ...fields }));
}

const does = {
  welcome(frame) {
    isUp = true;
    setTimeout(() => { if (isUp) tries = 0; }, 10000);
    // What happened while the page was on its way here is asked for; after a break it comes as events.
    if (!cursor) tell('stale');
    cursor ||= frame.head;
    tell('up');
  },
  reset(frame) {
    cursor = frame.head;
    tell('stale');
  },
  ev(frame) { cursor = frame.id; },
  cur(frame) { cursor = frame.id; },
  ping(frame) {
    if (frame.head !== cursor) say('sync', { after: cursor });
    say('pong', { head: cursor });
  },
};

function connect() {
  clearTimeout(timer);
  if (isOver || socket) return;
  const mine = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws/agent`, 'desk.v1');
  socket = mine;
  heard = Date.now();
  mine.onopen = () => mine.send(JSON.stringify({ t: 'hello', v: 1, ...(cursor ? { after: cursor } : {}) }));
  mine.onmessage = (event) => {
    if (mine !== socket) return;
    heard = Date.now();
    const frame = JSON.parse(event.data);
    does[frame.t]?.(frame);
    tell(frame.t, frame);
  };
  mine.onclose = (event) => { if (mine === socket) lost(event.code); };
}

function lost(code) {
  socket = null;
  isUp = false;
  isOver = FINAL.includes(code);
  tell('down', { isOut: code === CODES.out, isOld: code === CODES.old });
  if (isOver) return;
  const most = Math.min(document.hidden ? 60000 : 30000, 500 * 2 ** Math.min(tries, 7));
  tries += 1;
  timer = setTimeout(connect, Math.random() * most);
}

function restart() {
  const old = socket;
  lost(1006);
  old?.close();
}

// As soon as there is reason to hope: the network is back, the page is looked at or shown again.
const hope = () => { if (!document.hidden && !socket) connect(); };
if (document.getElementById('live-words')) {
  window.addEventListener('online', hope);
  window.addEventListener('pageshow', hope);
  window.addEventListener('offline', () => { if (socket) restart(); });
  window.addEventListener('pagehide', () => { if (socket) { isUp = false; socket.close(); } });
  document.addEventListener('visibilitychange', hope);
  // Some sockets die without a word.
  setInterval(() => { if (socket && Date.now() - heard > SILENCE) restart(); }, 5000);
  connect();
}
