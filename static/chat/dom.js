// What every part of the panel uses: the page's pieces, its words, and how times are said where the visitor is.
export const $ = (id) => document.getElementById(id);
const given = (id) => JSON.parse($(id).textContent);
export const config = given('config');
const words = given('words');
export const language = document.documentElement.lang;
// Whoever asks not to be tracked is not: neither where they are nor what they do there.
if (navigator.globalPrivacyControl) config.pages = false;
export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'UTC';

export const word = (name, value = '') => words[name].replace('%s', () => value);

export function make(name, fields = {}, ...children) {
  const element = Object.assign(document.createElement(name), fields);
  element.append(...children.filter((child) => child !== null));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(document.createElementNS(svg.namespaceURI, 'use'));
  svg.firstChild.setAttribute('href', `#i-${name}`);
  return svg;
}

// An id that nobody else has. Pages without TLS have no randomUUID.
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = bytes[6] % 16 + 64;
  bytes[8] = bytes[8] % 64 + 128;
  const hex = [...bytes].map((one) => one.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

// Said once to those who listen rather than look.
// What was said aloud does not stay to be read again.
let silence = 0;
export const say = (text) => {
  clearTimeout(silence);
  $('told').textContent = text;
  silence = setTimeout(() => { $('told').textContent = ''; }, 9000);
};

// In the page's language, as it is spoken where they are: en-GB has other clocks than en-US.
const locale = navigator.languages.find((one) => one.split('-')[0] === language.split('-')[0]) ?? language;
const format = (options) => {
  const made = new Intl.DateTimeFormat(locale, options);
  return (at) => made.format(at);
};
export const clock = format({ hour: 'numeric', minute: '2-digit' });
export const date = format({ day: 'numeric', month: 'short' });
const weekday = format({ weekday: 'long', hour: 'numeric', minute: '2-digit' });
const far = format({ weekday: 'short', day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' });
const whole = format({ weekday: 'long', day: 'numeric', month: 'long' });
const DAY = 86400000;
const midnight = (at) => new Date(at).setHours(0, 0, 0, 0);
const daysTo = (at) => Math.round((midnight(at) - midnight(Date.now())) / DAY);

export const moment = (at) => (daysTo(at) === 0 ? clock(at) : daysTo(at) < 7 ? weekday(at) : far(at));
export const day = (at) => ({ 0: word('today'), '-1': word('yesterday') }[daysTo(at)] ?? whole(at));

export const face = (person) => {
  const name = person.name || word('team');
  const made = make('span', { className: `face h${[...name].reduce((sum, one) => sum + one.codePointAt(0), 0) % 5}` });
  const initials = name.split(/\s+/).slice(0, 2).map((part) => [...part][0]?.toUpperCase() ?? '').join('');
  if (person.avatar) made.append(make('img', { src: person.avatar, alt: '', loading: 'lazy', onerror: () => made.replaceChildren(initials) }));
  else made.textContent = initials;
  return made;
};
