// The visitor's own bookings above the form for another one: when they are, and a way to call them off.
import { ask } from './api.js';
import { $, make, moment, say, word } from './dom.js';

const box = make('section', { hidden: true }, make('h3', {}, word('my_chats')), make('ul'));
box.setAttribute('aria-live', 'polite');
$('book').querySelector('h2').after(box);

export async function list() {
  const answer = await ask('GET', 'bookings').catch(() => null);
  const ahead = answer?.data.bookings?.filter((one) => one.state === 'booked' && one.ends_at > Date.now()) ?? [];
  box.hidden = !ahead.length;
  box.lastChild.replaceChildren(...ahead.sort((a, b) => a.starts_at - b.starts_at).map(line));
}

function line(one) {
  const when = moment(one.starts_at);
  const button = make('button', { type: 'button', className: 'soft' }, word('cancel'), make('span', { className: 'vh' }, ` ${when}`));
  const item = make('li', { className: 'booked' }, make('span', {}, make('b', {}, when), make('small', { dir: 'auto' }, one.topic)), button);
  button.addEventListener('click', () => cancel(one, item, button));
  return item;
}

async function cancel(one, item, button) {
  button.disabled = true;
  const answer = await ask('POST', `bookings/${one.id}/cancellation`, {}).catch(() => null);
  if (answer?.ok) {
    item.replaceChildren(make('span', {}, word('called_off', moment(one.starts_at))));
    say(word('called_off', moment(one.starts_at)));
    $('book').querySelector('h2').focus();
    return;
  }
  button.disabled = false;
  $('book-wrong').textContent = answer?.data.detail ?? word('error');
}
