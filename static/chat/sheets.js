// What lies over the conversation when it is asked for: earlier ones, a time to be booked, a transcript, the end.
import { ask } from './api.js';
import { isAddress } from './composer.js';
import { $, date, language, make, moment, newId, say, word, zone } from './dom.js';
import { state, tell } from './state.js';
import './looks.js';

const SHEETS = ['past', 'book', 'mail', 'end'];
let opener = null;
let purpose = '';
let days = [];
let wish = null;

export function open(name) {
  opener ??= document.activeElement;
  for (const one of SHEETS) $(one).hidden = one !== name;
  $('talk').hidden = true;
  $('back').hidden = false;
  $(name).querySelector('h2').focus();
}

export function close() {
  for (const one of SHEETS) $(one).hidden = true;
  $('talk').hidden = false;
  $('back').hidden = true;
  if (opener?.checkVisibility?.()) opener.focus();
  else $('text').focus();
  opener = null;
}

// Earlier conversations

const stateOf = (one) => {
  if (one.mode === 'ticket') return word('state_ticket', `#${one.number}`);
  return word(one.state === 'ended' ? 'state_ended' : 'state_chat');
};

export async function past() {
  open('past');
  const list = $('past').querySelector('ul') ?? $('past').appendChild(make('ul'));
  const answer = await ask('GET', 'conversations').catch(() => ({ data: {} }));
  const found = answer.data.conversations ?? [];
  list.replaceChildren(...found.map((one) => make('li', {}, make(
    'button', { type: 'button', className: `past${one.head > one.read ? ' new' : ''}`, onclick: () => { close(); tell('choose', one); } },
    make('b', { dir: 'auto' }, one.subject || one.preview || '…'), make('small', {}, `${date(one.started)}, ${stateOf(one)}`),
  ))));
  if (!found.length) list.append(make('li', {}, word('no_past')));
}

// A time to be booked

export async function book(topic = '') {
  open('book');
  $('topic').value ||= topic;
  $('zone').textContent = zone.replace(/_/g, ' ');
  $('book-for').hidden = !!state.me.email;
  wish = null;
  import('./booked.js').then(({ list }) => list(book));
  const answer = await ask('GET', `slots?${new URLSearchParams({ tz: zone, lang: language })}`).catch(() => ({ data: {} }));
  offer(answer.data.days ?? []);
}

function offer(found) {
  days = found;
  $('day').replaceChildren(...days.map((one, place) => make('option', { value: place }, one.says)));
  $('do-book').disabled = !days.length;
  $('book-wrong').textContent = days.length ? '' : word('no_slots');
  drawTimes();
}

function drawTimes() {
  const { slots = [] } = days[$('day').value] ?? {};
  $('slots').replaceChildren(...slots.map((slot) => make('label', {}, make('input', { type: 'radio', name: 'slot', value: slot.at }), make('span', {}, slot.says))));
}
$('day').addEventListener('change', drawTimes);

$('book').addEventListener('submit', async (event) => {
  event.preventDefault();
  const chosen = $('slots').querySelector(':checked');
  const email = state.me.email || $('book-email').value.trim();
  const problem = !chosen ? word('choose') : isAddress(email) ? '' : word('bad_email');
  $('book-wrong').textContent = problem;
  if (problem) return;
  const startsAt = Number(chosen.value);
  // Sent again after a break it is the same wish.
  if (wish?.starts_at !== startsAt) wish = { cid: newId(), starts_at: startsAt };
  const body = { ...wish, topic: $('topic').value.trim(), email, name: state.me.name || $('name').value.trim(), tz: zone, lang: language };
  $('do-book').disabled = true;
  const answer = await ask('POST', 'bookings', body).catch(() => null);
  $('do-book').disabled = false;
  if (answer?.ok) {
    $('topic').value = '';
    close();
    tell('booked', word('booked', moment(answer.data.starts_at)));
    return;
  }
  if (answer?.data.days) offer(answer.data.days);
  $('book-wrong').textContent = answer?.data.code === 'taken' ? word('taken') : answer?.data.detail ?? word('error');
});

// By mail: a transcript, or the answers

export function mail(why) {
  purpose = why;
  $('mail').querySelector('h2').textContent = why === 'address' ? word('leave') : $('go-mail').textContent;
  $('mail-to').value = state.me.email;
  $('mail-wrong').textContent = '';
  open('mail');
}

async function leaveAddress(email) {
  const answer = await ask('POST', `conversations/${state.conv}/address`, { email });
  if (answer.ok) state.me.email = email;
  tell('state');
  return answer;
}

$('mail').addEventListener('submit', async (event) => {
  event.preventDefault();
  const email = $('mail-to').value.trim().toLowerCase();
  if (!isAddress(email)) {
    $('mail-wrong').textContent = word('bad_email');
    return;
  }
  let answer = email === state.me.email ? { ok: true } : await leaveAddress(email).catch(() => null);
  if (answer?.ok && purpose === 'transcript') answer = await ask('POST', `conversations/${state.conv}/transcript`, {}).catch(() => null);
  if (!answer?.ok) {
    $('mail-wrong').textContent = answer?.data?.detail ?? word('error');
    return;
  }
  close();
  if (purpose === 'transcript') tell('notice', word('mailed', email));
  else say(word('mail_hint', email));
});

$('end').addEventListener('submit', async (event) => {
  event.preventDefault();
  const answer = await ask('POST', `conversations/${state.conv}/end`, {}).catch(() => null);
  close();
  if (!answer?.ok) tell('notice', word('error'));
});
