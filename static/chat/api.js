// Calls to the helpdesk, and the session that each of them bears. Never a token in an address.
import { config, language, zone } from './dom.js';
import { keep, on, post } from './host.js';
import { learn, state } from './state.js';

export async function call(method, path, body, more = {}) {
  const headers = state.session ? { Authorization: `Bearer ${state.session}` } : {};
  if (body) headers['Content-Type'] = 'application/json';
  const answer = await fetch(`/chat/api/${path}`, { method, headers, body: body && JSON.stringify(body), credentials: 'omit', ...more });
  const data = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
  return { ok: answer.ok, status: answer.status, data };
}

// The same, with a session in any case; one that has ended is renewed once.
export async function ask(method, path, body, more) {
  await session();
  const answer = await call(method, path, body, more);
  if (answer.status !== 401) return answer;
  await session(true);
  return call(method, path, body, more);
}

const subject = (user) => {
  if (!user) return '';
  if (user.id) return String(user.id);
  try {
    return String(JSON.parse(atob((user.jwt ?? user).split('.')[1].replace(/-/g, '+').replace(/_/g, '/'))).sub);
  } catch { return '?'; }
};

let opening = null;
export function session(isOver = false) {
  if (state.session && !isOver) return Promise.resolve();
  opening ??= open(isOver).finally(() => { opening = null; });
  return opening;
}

async function open(isOver) {
  if (isOver && state.whose) state.user = await renewed();
  const { origin } = document.documentElement.dataset;
  // Only the portal's own links say so: elsewhere whoever is signed in there is nobody to this panel.
  const credentials = state.isPortal ? 'same-origin' : 'omit';
  const begin = () => call('POST', 'session', { key: config.key, user: state.user, origin, lang: language, tz: zone }, { credentials });
  let answer = await begin();
  if (answer.data.code === 'used') {
    // Our first try may have come through without its answer: the page signs another one.
    const user = await renewed();
    if (user) {
      state.user = user;
      answer = await begin();
    }
  }
  if (!answer.ok) {
    const { code = 'session', detail } = answer.data;
    post({ t: 'error', code, detail });
    throw Object.assign(new Error('no session'), answer);
  }
  enter(answer.data, subject(state.user));
}

export function enter(data, whose) {
  state.session = data.session;
  state.whose = whose;
  // Who signs out of the portal leaves no session behind in the browser.
  keep('', state.isPortal && data.me.verified ? null : JSON.stringify({ s: data.session, u: whose }));
  learn(data);
}

// What the page has kept, unless somebody else is logged in there now. A stranger who has logged in keeps their chat.
export async function restore(kept, user, isPortal) {
  state.user = user ?? null;
  state.isPortal = isPortal;
  let known = null;
  try { known = JSON.parse(kept); } catch { /* as if there were none */ }
  if (known?.u && known.u !== subject(user)) known = null;
  if (known) [state.session, state.whose] = [known.s, known.u];
  else if (kept) keep('', null);
  if (isPortal || (user && state.whose !== subject(user))) await session(true);
  if (isPortal && known && !state.me.verified) {
    state.session = known.s;
    keep('', kept);
  }
}

let renewing = null;
const renewed = () => new Promise((resolve) => {
  renewing = resolve;
  post({ t: 'refresh' });
  setTimeout(resolve, 10000, null);
});
on('user', ({ user }) => renewing?.(user));
