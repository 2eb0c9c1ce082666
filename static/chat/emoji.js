// A few emoji for those whose keyboard has none.
import { make } from './dom.js';
import './looks.js';

const EMOJI = '😀 😂 🙂 😉 😍 🤔 😅 😢 😭 😡 👍 👎 👏 🙏 💪 👋 ❤️ 🎉 🔥 ✅ ❌ ⚠️ ☕ 🚀'.split(' ');

export function fill(box, text, changed) {
  const put = (one) => {
    text.setRangeText(one, text.selectionStart, text.selectionEnd, 'end');
    text.focus();
    changed();
  };
  box.append(...EMOJI.map((one) => make('button', { type: 'button', textContent: one, onclick: () => put(one) })));
}
