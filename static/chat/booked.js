// The visitor's own bookings above the form for another one: when they are, and ways to move them and to call them off.
import { ask } from './api.js';
import { $, make, moment, say, word } from './dom.js';
import { state } from './state.js';

const box = make('section', { hidden: true }, make('h3', {}, word('my_chats')), make('ul'));
box.setAttribute('aria-live', 'polite');
$('book').querySelector('h2').after(box);

const form = $('book');
const [title, submit] = [form.querySelector('h2'), $('do-book')];
const [heading, label] = [title.textContent, submit.textContent];
let moving = null;
// The sheet anew, with the times that are free now: it loads this module, which cannot load it in turn.
let draw = null;

// The form is for another time of this one, or for a new one.
function move(one) {
  moving = one;
  title.textContent = submit.textContent = one ? word('move') : label;
  if (!one) title.textContent = heading;
  $('topic').closest('label').hidden = !!one;
  $('book-for').hidden = !!one || !!state.me.email;
  if (one) { $('day').focus(); $('day').scrollIntoView({ block: 'center' }); }
}

form.addEventListener('submit', async (event) => {
  if (!moving) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const chosen = $('slots').querySelector(':checked');
  $('book-wrong').textContent = chosen ? '' : word('choose');
  if (!chosen) return;
  submit.disabled = true;
  const one = moving;
  const answer = await ask('POST', `bookings/${one.id}/move`, { starts_at: Number(chosen.value) }).catch(() => null);
  submit.disabled = false;
  await draw();
  if (answer?.ok) {
    say(word('booked', moment(answer.data.starts_at)));
    title.focus();
    return;
  }
  move(one);
  $('book-wrong').textContent = answer?.data.code === 'taken' ? word('taken') : answer?.data.detail ?? word('error');
}, { capture: true });

export async function list(book) {
  draw = book;
  move(null);
  const answer = await ask('GET', 'bookings').catch(() => null);
  const ahead = answer?.data.bookings?.filter((one) => one.state === 'booked' && one.ends_at > Date.now()) ?? [];
  box.hidden = !ahead.length;
  box.lastChild.replaceChildren(...ahead.sort((a, b) => a.starts_at - b.starts_at).map(line));
}

function line(one) {
  const when = moment(one.starts_at);
  const ways = [['move', () => move(one)], ['cancel', () => cancel(one, item, ways[1])]].map(([name, act]) => {
    const button = make('button', { type: 'button', className: 'soft' }, word(name), make('span', { className: 'vh' }, ` ${when}`));
    button.addEventListener('click', act);
    return button;
  });
  const item = make('li', { className: 'booked' }, make('span', {}, make('b', {}, when), make('small', { dir: 'auto' }, one.topic)), make('span', {}, ...ways));
  return item;
}

async function cancel(one, item, button) {
  button.disabled = true;
  const answer = await ask('POST', `bookings/${one.id}/cancellation`, {}).catch(() => null);
  if (answer?.ok) {
    item.replaceChildren(make('span', {}, word('called_off', moment(one.starts_at))));
    say(word('called_off', moment(one.starts_at)));
    if (moving?.id === one.id) move(null);
    title.focus();
    return;
  }
  button.disabled = false;
  $('book-wrong').textContent = answer?.data.detail ?? word('error');
}
