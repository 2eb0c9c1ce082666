// The desk's behaviour. Every page works without it; this makes pages live and keys work.
import './ticker.js';
import './connection.js';
import './news.js';
import './here.js';
import './notices.js';
import './layers.js';
import './panes.js';
import './queue.js';
import './conversation.js';
import './keys.js';
import './jump.js';
import { on } from './live.js';
import { equip } from './equip.js';

// Who chats has more on the page; who does not, loads none of it.
on('welcome', ({ chat }) => { if (chat) import('./chats.js').then(({ be }) => be(chat)); });

// Whoever logged in anew, in another tab, has another token than the one this page was drawn with.
for (const kind of ['input', 'submit']) {
  document.addEventListener(kind, ({ target }) => {
    const field = (target.form ?? target).elements?.csrfmiddlewaretoken;
    const token = /(?:^|; )csrftoken=(\w+)/.exec(document.cookie)?.[1];
    if (field && token) field.value = token;
  }, { capture: true });
}

// The menu of the settings is long: where one is, is in sight.
document.querySelector('.areas [aria-current]')?.scrollIntoView({ block: 'nearest' });

await equip(document);
// From here on keys work and the page is live.
document.documentElement.classList.replace('no-js', 'js');
