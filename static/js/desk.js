// The desk's behaviour. Every page works without it; this makes pages live and keys work.
import './ticker.js';
import './connection.js';
import './queue.js';
import './conversation.js';
import './composer.js';
import './keys.js';
