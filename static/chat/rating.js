// How it was, asked once a chat has ended.
import { ask } from './api.js';
import { $, word } from './dom.js';
import { toEnd } from './log.js';
import { state, tell } from './state.js';
import './looks.js';

export function offer() {
  $('rate').hidden = false;
  toEnd();
}

$('rate').addEventListener('submit', async (event) => {
  event.preventDefault();
  const chosen = $('rate').querySelector(':checked');
  if (!chosen) {
    $('rate').querySelector('input').focus();
    return;
  }
  const rating = { score: Number(chosen.value), comment: $('comment').value };
  const answer = await ask('POST', `conversations/${state.conv}/csat`, rating).catch(() => null);
  if (answer?.ok) $('rate').hidden = true;
  tell('notice', word(answer?.ok ? 'thanks' : 'error'));
});
