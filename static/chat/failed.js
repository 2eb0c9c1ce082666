// What could not be sent: another try, or the text to take elsewhere.
import { make, say, word } from './dom.js';
import { tell } from './state.js';

export function offer(sign, entry) {
  sign.after(
    make('button', { type: 'button', onclick: () => tell('retry', entry.cid) }, word('retry')),
    make('button', { type: 'button', onclick: () => copy(entry.text) }, word('copy')),
  );
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.body.appendChild(make('textarea', { value: text }));
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  say(word('copied'));
}
