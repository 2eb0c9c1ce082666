// Incidents that concern this visitor, seen before anything is written. Another part of the helpdesk knows them: it
// answers {"incidents": [{"name", "says", "url", "follow"}]}, and a POST to `follow` asks to be told of the end.
import { $, make, word } from './dom.js';
import { state } from './state.js';

const headers = () => (state.session ? { Authorization: `Bearer ${state.session}` } : {});
let shown = '[]';

export async function look() {
  const answer = await fetch($('incident').dataset.from, { headers: headers(), credentials: 'omit' }).catch(() => null);
  if (!answer?.ok) return;
  const found = (await answer.json()).incidents;
  // What has not changed is not read out once more.
  if (JSON.stringify(found) === shown) return;
  shown = JSON.stringify(found);
  if (found.length) await import('./looks.js');
  draw(found);
}

function draw(found) {
  $('incident').hidden = !found.length;
  $('troubles').replaceChildren(...found.map((one) => make('p', {}, make('a', { href: one.url, target: '_blank', rel: 'noopener' }, one.name), ` ${one.says ?? ''}`)));
  const ways = found.map((one) => one.follow).filter(Boolean);
  $('tell-me').hidden = !ways.length;
  $('tell-me').onclick = async () => {
    const told = await Promise.all(ways.map((way) => fetch(way, { method: 'POST', headers: headers() }).catch(() => null)));
    if (!told.every((one) => one?.ok)) return;
    $('tell-me').hidden = true;
    $('troubles').append(make('p', {}, word('fixed')));
    shown = JSON.stringify(found.map((one) => ({ ...one, follow: null })));
  };
}
