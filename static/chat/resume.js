// Back from a mail's link, into its conversation.
import { call, enter } from './api.js';
import { config, language, word, zone } from './dom.js';
import { tell } from './state.js';

export async function resume(token) {
  const answer = await call('POST', 'resume', { key: config.key, link: token, lang: language, tz: zone }).catch(() => null);
  if (answer?.ok) enter(answer.data, '');
  else tell('notice', answer?.data.says ?? word('error'));
}
