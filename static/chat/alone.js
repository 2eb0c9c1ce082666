// The panel as a page of its own: it is its own host and keeps things in its own storage.
import { config } from './dom.js';

const store = `desk:${config.key}`;
const memory = {};
const tried = (act, otherwise) => { try { return act(); } catch { return otherwise; } };
const get = (name) => tried(() => localStorage.getItem(store + name), memory[name] ?? null);
const names = () => tried(() => Object.keys(localStorage), Object.keys(memory).map((name) => store + name));

function keep({ name, value }) {
  memory[name] = value;
  tried(() => (value === null ? localStorage.removeItem(store + name) : localStorage.setItem(store + name, value)));
}

export function openPort() {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => {
    if (data.t === 'keep') keep(data);
    else if (data.t === 'refresh') port1.postMessage({ t: 'user', user: null });
    else if (data.t === 'unread') document.title = document.title.replace(/^\(\d+\) /, '').replace(/^/, data.count ? `(${data.count}) ` : '');
  };
  const entries = names().filter((name) => name.startsWith(`${store}.out.`)).map((name) => JSON.parse(get(name.slice(store.length))));
  // A link in a mail names its conversation behind the #, which no server is told; it leaves the address at once.
  const resume = new URLSearchParams(location.hash.slice(1)).get('resume');
  if (resume) history.replaceState(null, '', location.pathname + location.search);
  const asked = new URLSearchParams(location.search);
  const page = { url: location.href, title: document.title };
  port1.postMessage({ t: 'boot', session: get(''), draft: get('.draft'), mute: get('.mute'), outbox: entries, user: null, resume, shown: true, page, isPortal: asked.get('from') === 'portal', isBooking: asked.has('book') });
  return port2;
}
