// The wallboard's countdowns, and a word when its numbers are old: they are asked for by htmx every 15 seconds.
import './ticker.js';

const OLD_AFTER = 45000;
const sign = document.getElementById('stale');
let last = Date.now();

document.documentElement.classList.replace('no-js', 'js');
document.addEventListener('htmx:afterRequest', (event) => { if (event.detail.successful) last = Date.now(); });
// A link that was revoked, or a session that has ended: the page says so itself.
document.addEventListener('htmx:responseError', (event) => { if ([401, 404].includes(event.detail.xhr.status)) location.reload(); });
setInterval(() => { sign.hidden = Date.now() - last < OLD_AFTER; }, 1000);
