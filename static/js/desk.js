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
import './composer.js';
import './keys.js';
import './palette.js';

// From here on keys work and the page is live.
document.documentElement.classList.replace('no-js', 'js');
