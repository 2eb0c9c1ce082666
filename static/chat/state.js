// How things stand, in one place, and who wants to know when they change.
import { config } from './dom.js';

export const state = {
  session: null,      // the token that opens everything
  whose: '',          // for which user of the page it was made
  user: null,         // who the page says is logged in, signed
  conv: null,         // the conversation that is shown
  chat: null,         // what the server says of it
  cursor: 0,          // the last public number that is shown
  isPortal: false,    // whether a link of the portal led here, where whoever is signed in is known
  me: { verified: false, name: '', email: '' },
  entitle: { chat: 'live', until: null, why: '' },
  avail: config.avail,
  team: config.team,
  read: { agent: 0, visitor: 0 },
  visitor: null,      // what the page may know them by
  shown: false,       // the panel is open
  mode: null,         // 'ticket' once they have chosen to be answered at leisure
  page: { url: '', title: '' },
};

const listeners = {};
export const when = (name, listener) => (listeners[name] ??= []).push(listener);
export const tell = (name, detail) => { for (const listener of listeners[name] ?? []) listener(detail); };

export const isWatched = () => state.shown && document.visibilityState === 'visible';

// What a session's answer, a welcome and a pushed frame have in common.
export function learn(given) {
  for (const name of ['me', 'entitle', 'avail', 'team', 'visitor']) if (given[name]) state[name] = given[name];
  // Refused for the address they named: a welcome does not know of it, nothing was kept.
  if (state.refused && !state.me?.verified) state.entitle = { chat: 'schedule', until: null };
  // Who has joined is known from the conversation itself.
  if (given.chat && given.chat.conv === state.conv) state.chat = { ...state.chat, ...given.chat };
  for (const by of ['agent', 'visitor']) state.read[by] = Math.max(state.read[by], given.read?.[by] ?? 0);
  tell('state');
}
