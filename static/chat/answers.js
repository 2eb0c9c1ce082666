// Articles that may answer the first message, while it is written. Whoever wrote all the same is counted as that.
import { newAsking, watch } from '../js/answers.js';
import { $, make, say } from './dom.js';
import './looks.js';
import { state, when } from './state.js';

const asking = newAsking();
const text = $('text');
const box = make('div', { id: 'answers' });
$('wrong').before(box);
box.setAttribute('aria-live', 'polite');

const isFirst = () => state.conv === null;
export const look = watch({
  box,
  // Nothing is asked for once they talk to us.
  text: () => (isFirst() ? text.value : ''),
  from: '/kb/suggest',
  where: 'widget',
  asking,
  done: (says) => {
    box.replaceChildren(make('p', { className: 'says' }, says.thanks));
    say(says.thanks);
  },
});
when('outgoing', (entry) => { if (entry.conv === null && entry.form) entry.form.asking = asking; });
when('arrived', () => box.replaceChildren());
