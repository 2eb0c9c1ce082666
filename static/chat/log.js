// The conversation: each message one element under its own id, so that what comes twice cannot be shown twice.
import { $, clock, day, face, icon, make, say, word } from './dom.js';
import { marked, plain } from './marks.js';
import { state } from './state.js';

const TOGETHER = 180000;
const NEAR = 80;
const log = $('log');
const scroll = $('scroll');

// Who is at the end stays there, whatever grows: pictures that arrive, a keyboard that opens.
let stays = true;
export const isAtEnd = () => stays;
export const toEnd = () => {
  stays = true;
  scroll.scrollTop = scroll.scrollHeight;
};
scroll.addEventListener('scroll', () => { stays = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR; }, { passive: true });
const follow = new ResizeObserver(() => { if (stays) toEnd(); });
for (const one of [log, scroll]) follow.observe(one);
export const clear = () => log.replaceChildren();
const elementOf = (d) => $(`m-${d.cid}`) ?? $(`m-${d.id}`);

let emoji = null;
try { emoji = new RegExp('^(\\p{RGI_Emoji}\\s*){1,6}$', 'v'); } catch { /* the server says it a moment later */ }

// Many at once, without telling each to those who listen.
export function quietly(act) {
  log.setAttribute('aria-busy', 'true');
  log.setAttribute('aria-live', 'off');
  act();
  requestAnimationFrame(() => {
    log.removeAttribute('aria-busy');
    log.setAttribute('aria-live', 'polite');
  });
}

export function show(frame) {
  const { t, d = {} } = frame;
  if (t === 'msg.new' || t === 'msg.edit') message(frame);
  else if (t === 'msg.del') gone(d);
  else if (t === 'sys' && lineOf(d)) place(make('p', { className: 'sys' }, lineOf(d)), d.at);
}

const lineOf = (d) => ({
  joined: word('joined', d.by?.name || word('team')), handed: word('handed', d.by?.name || word('team')), ended: word('ended'), converted: word('converted', d.number ?? ''),
}[d.k]);

function message({ seq, d }) {
  const isMine = d.by.k === 'customer';
  const known = elementOf(d);
  const element = known ?? make('article', { className: `msg ${isMine ? 'mine' : 'theirs'}`, id: `m-${isMine && d.cid ? d.cid : d.id}` });
  Object.assign(element.dataset, { seq: seq ?? element.dataset.seq, at: d.at, by: isMine ? '' : d.by.name || ' ' });
  element.classList.remove('pending', 'failed');
  element.classList.toggle('big', !!d.big);
  fill(element, d, isMine);
  place(element, d.at);
  if (d.id) element.dataset.id = d.id;
}

function fill(element, d, isMine) {
  const name = isMine ? word('you') : d.by.name || word('team');
  const body = make('div');
  if (d.text || d.html) {
    const bubble = make('div', { className: 'bubble plain', dir: 'auto' }, make('span', { className: 'vh' }, `${name}: `), ...(isMine ? plain : marked)(d.text));
    if (d.html) import('./rich.js').then(({ rich }) => paint(bubble, rich(d.html)));
    body.append(bubble);
  }
  for (const file of d.files ?? []) body.append(attached(file));
  const meta = make('p', { className: 'meta' });
  if (d.at) meta.append(make('span', {}, [isMine ? '' : name, clock(d.at), d.via === 'email' ? word('by_mail') : ''].filter(Boolean).join(', ')));
  if (isMine) meta.append(make('span', { className: 'state' }));
  body.append(meta);
  element.replaceChildren(...(isMine ? [] : [face(d.by)]), body);
}

// Markup is drawn as soon as what draws it is there; until then its text stands.
function paint(bubble, drawn) {
  bubble.classList.remove('plain');
  bubble.replaceChildren(bubble.firstChild, drawn);
}

function attached(file) {
  const fields = { href: file.url ?? '', target: '_blank', rel: 'noopener' };
  if (file.url && file.type?.startsWith('image/')) {
    return make('a', fields, make('img', { className: 'shot', src: file.url, alt: file.name, loading: 'lazy' }));
  }
  return make('a', { className: 'file', ...fields, download: file.name }, icon('file'), make('span', { dir: 'auto' }, file.name));
}

// What is confirmed stands before what is still on its way; a new day gets its name. Who stands where they belong is not
// moved: that would be read out once more.
function place(element, at) {
  const next = [...log.querySelectorAll(':scope > .pending')].find((one) => one !== element) ?? null;
  if (!element.isConnected || next?.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING) log.insertBefore(element, next);
  if (!at) return;
  const last = element.previousElementSibling;
  if (day(at) !== log.dataset.day) {
    log.dataset.day = day(at);
    element.before(make('p', { className: 'day' }, day(at)));
  } else if (last?.matches('.msg') && element.matches('.msg') && last.dataset.by === element.dataset.by && element.dataset.at - last.dataset.at < TOGETHER) {
    last.classList.add('joined');
  }
}

function gone(d) {
  const element = log.querySelector(`[data-id="${CSS.escape(d.id)}"]`);
  element?.replaceWith(make('p', { className: 'sys', id: element.id }, word('deleted')));
}

// What has been written here and is on its way.
export function outgoing(entry) {
  let element = $(`m-${entry.cid}`);
  if (element?.dataset.seq) return;
  if (!element) {
    element = make('article', { className: 'msg mine pending', id: `m-${entry.cid}` });
    log.append(element);
  }
  element.dataset.by = '';
  element.classList.toggle('failed', !!entry.failed);
  element.classList.toggle('big', emoji?.test(entry.text.trim()) ?? false);
  fill(element, { ...entry, at: null }, true);
  const sign = element.querySelector('.state');
  if (entry.failed) {
    sign.textContent = entry.failed === 'sign' ? word('sign') : word('failed');
    import('./failed.js').then(({ offer }) => offer(sign, entry));
    say(word('failed'));
  } else {
    sign.textContent = word('sending');
    toEnd();
  }
}

export function accepted(cid) {
  const element = $(`m-${cid}`);
  element?.classList.remove('pending', 'failed');
  states();
  const sign = element?.querySelector('.state');
  if (sign) sign.textContent = word('sent');
}

export const remove = (cid) => $(`m-${cid}`)?.remove();

// How far an agent has read stands under the last message that they have; under later ones that they were sent.
export function states() {
  let isSeen = false;
  for (const element of [...log.querySelectorAll('.mine[data-seq]')].reverse()) {
    const sign = element.querySelector('.state');
    const wasRead = Number(element.dataset.seq) <= state.read.agent;
    sign.textContent = wasRead ? (isSeen ? '' : word('seen')) : word('sent');
    isSeen ||= wasRead;
  }
}

let timer = 0;
export function typing(frame) {
  const box = $('typing');
  const isNew = box.hidden;
  clearTimeout(timer);
  box.hidden = !!frame.off;
  if (frame.off) return;
  const name = frame.by?.name ?? frame.by ?? '';
  const member = state.team.find((one) => one.name === name) ?? { name };
  box.firstElementChild.replaceWith(face(member));
  if (isNew) say(word('typing', name || word('team')));
  timer = setTimeout(typing, frame.ttl ?? 6000, { off: true });
  if (stays) toEnd();
}
