// What was written and has not arrived: kept by the page around us, sent one at a time and in order, and never given up.
// The server knows each by its id, so that sending twice does no harm.
import { call, session } from './api.js';
import { keep } from './host.js';
import { state, tell, when } from './state.js';

const entries = [];
let isBusy = false;
let timer = 0;

export const pending = (conv) => entries.filter((entry) => entry.conv === conv);
const save = (entry) => keep(`.out.${entry.cid}`, JSON.stringify(entry));

export function add(entry) {
  entries.push(entry);
  save(entry);
  tell('outgoing', entry);
  flush();
}

export function drop(cid) {
  const place = entries.findIndex((entry) => entry.cid === cid);
  if (place < 0) return;
  entries.splice(place, 1);
  keep(`.out.${cid}`, null);
}

export function load(kept) {
  entries.push(...kept.filter((one) => !entries.some((entry) => entry.cid === one.cid)).sort((a, b) => a.at - b.at));
}

export function retry(cid) {
  const entry = entries.find((one) => one.cid === cid);
  if (!entry) return;
  entry.failed = null;
  save(entry);
  tell('outgoing', entry);
  flush();
}

export async function flush() {
  if (isBusy) return;
  isBusy = true;
  clearTimeout(timer);
  try {
    for (let entry = next(); entry; entry = next()) if (!await deliver(entry)) break;
  } finally { isBusy = false; }
}
const next = () => entries.find((entry) => !entry.failed);

async function deliver(entry) {
  const { cid, text, files, form, mode, conv } = entry;
  let answer;
  try {
    await session();
    const path = conv ? `conversations/${conv}/messages` : 'conversations';
    const body = { cid, text, files: files.map((file) => file.id), ...(conv ? {} : { form, mode: mode ?? undefined }) };
    // It goes on even while the page is left.
    answer = await call('POST', path, body, { keepalive: true });
    if (answer.status === 401) {
      await session(true);
      answer = await call('POST', path, body, { keepalive: true });
    }
  } catch (error) { answer = { ok: false, status: error.status ?? 0, data: error.data ?? {} }; }
  if (answer.ok) {
    arrived(entry, answer.data);
    return true;
  }
  if (answer.status === 0 || answer.status === 429 || answer.status >= 500) {
    entry.tries += 1;
    const most = Math.min(30000, 500 * 2 ** Math.min(entry.tries, 7));
    timer = setTimeout(flush, answer.data.retry ?? Math.random() * most);
    if (answer.status === 429) tell('slow');
    return false;
  }
  if (answer.data.code === 'entitle' || (answer.data.code === 'email' && !conv)) {
    drop(cid);
    tell('refused', { entry, code: answer.data.code });
    return true;
  }
  entry.failed = answer.data.code === 'sign' ? 'sign' : 'failed';
  save(entry);
  tell('outgoing', entry);
  return true;
}

function arrived(entry, data) {
  const isOther = data.conv !== entry.conv;
  drop(entry.cid);
  for (const later of entries) {
    if (later.conv !== entry.conv) continue;
    // What followed the first message belongs where that has gone.
    if (isOther) {
      later.conv = data.conv;
      save(later);
    }
  }
  tell('arrived', { entry, data, isOther });
}

when('up', flush);
window.addEventListener('online', flush);
