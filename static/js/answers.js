// Articles that may answer what somebody writes, while they write it. What came of them is counted honestly: shown,
// opened, and answered only where they say so themselves.
const WAIT = 250;
const FEWEST = 8;
const LONGEST = 300;
const MOST = 3;

// A name for this writing: 32 hexadecimal digits that say nothing about anybody.
export const newAsking = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, '0')).join('');

const make = (name, fields, ...children) => {
  const element = Object.assign(document.createElement(name), fields);
  element.append(...children);
  return element;
};

// `text` says what is typed; `done(says, id)` is called once one of them has answered. What it returns looks again.
export function watch({ box, text, from, where, asking, done }) {
  const lines = new Map();
  let timer = 0;
  let turn = 0;
  let last = '';

  const tell = (what, ids) => fetch(new URL('suggested', new URL(from, location.href)), {
    method: 'POST', keepalive: true, body: new URLSearchParams([['asking', asking], ['what', what], ['where', where], ...ids.map((id) => ['article', id])]),
  }).catch(() => null);

  function line(one, says) {
    const read = make('a', { href: one.url, target: '_blank', rel: 'noopener' }, says.read);
    const answered = make('button', { type: 'button', className: 'btn sm' }, says.answered);
    const unfolds = make('details', {}, make('summary', {}, one.title), make('p', {}, one.summary), make('p', { className: 'acts' }, answered, ' ', read));
    unfolds.lang = one.language;
    let isOpened = false;
    const open = () => { if (!isOpened) tell('opened', [one.id]); isOpened = true; };
    unfolds.addEventListener('toggle', open);
    read.addEventListener('click', open);
    answered.addEventListener('click', async () => {
      answered.disabled = true;
      await tell('answered', [one.id]);
      done(says, one.id);
    });
    return make('li', {}, unfolds);
  }

  function draw(found, says) {
    const fresh = found.filter((one) => !lines.has(one.id));
    for (const one of fresh) lines.set(one.id, line(one, says));
    if (fresh.length) tell('shown', fresh.map((one) => one.id));
    const list = box.querySelector('ul');
    const wanted = found.map((one) => lines.get(one.id));
    // What is read just now is not taken away.
    if (list?.contains(document.activeElement)) return;
    if (!wanted.length) box.replaceChildren();
    else if (!list || wanted.length !== list.children.length || wanted.some((one, at) => one !== list.children[at])) {
      box.replaceChildren(make('p', { className: 'says' }, says.title), make('ul', {}, ...wanted));
    }
  }

  async function ask() {
    const typed = text().trim().slice(0, LONGEST);
    if (typed === last) return;
    last = typed;
    const mine = turn += 1;
    if (typed.length < FEWEST) { draw([]); return; }
    const body = new URLSearchParams({ q: typed, language: document.documentElement.lang, says: 1 });
    const answer = await fetch(from, { method: 'POST', body }).catch(() => null);
    if (!answer?.ok || mine !== turn) return;
    const { results, says } = await answer.json();
    draw(results.slice(0, MOST), says);
  }

  return () => { clearTimeout(timer); timer = setTimeout(ask, WAIT); };
}
