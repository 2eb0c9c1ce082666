// What the page tells of its visitor, for the agents; a few wait until there is a way to say it.
import { state, when } from './state.js';
import { isLive, whisper } from './wire.js';

const MOST = 10;
const waiting = [];

export function track({ name, props }) {
  waiting.push({ name, props: JSON.stringify(props ?? {}).slice(0, 2000) });
  if (waiting.length > MOST) waiting.shift();
  flush();
}

// One after the other, no faster than they are taken.
let timer = 0;
function flush() {
  if (timer || !isLive() || !state.session || !waiting.length) return;
  whisper('track', waiting.shift());
  timer = setTimeout(() => { timer = 0; flush(); }, 600);
}
when('up', flush);
