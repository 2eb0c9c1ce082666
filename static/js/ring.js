// A live chat, or what is urgent, that nobody has taken: a soft ring until somebody does, or until it is told to be quiet.
import { isLive, on } from './live.js';
import { isSilent, play } from './sound.js';

const EVERY = 8000;
const LONGEST = 300_000;
const KEY = 'ringing';
const words = document.getElementById('live-words').dataset;
const ringing = new Map();
let isOurs = () => true;
let timer = 0;

const line = () => {
  let made = document.getElementById('ringing');
  if (!made) {
    made = document.createElement('div');
    made.id = 'ringing';
    made.className = 'ringing';
    made.setAttribute('role', 'alert');
    const [link, quiet] = [document.createElement('a'), document.createElement('button')];
    quiet.type = 'button';
    quiet.className = 'btn sm';
    quiet.textContent = words.quiet;
    quiet.addEventListener('click', () => { ringing.clear(); change(); });
    made.append(link, quiet);
    document.body.append(made);
  }
  return made;
};

function change() {
  sessionStorage.setItem(KEY, ringing.size ? JSON.stringify(Array.from(ringing.values())) : '');
  const first = ringing.values().next().value;
  if (first) {
    const link = line().querySelector('a');
    link.href = words.conversationUrl.replace('0', first.conv);
    const text = words.untaken.replace('%s', [first.title, first.text].filter(Boolean).join(': '));
    if (link.textContent !== text) link.textContent = text;
    timer ||= setInterval(beat, EVERY);
  } else {
    document.getElementById('ringing')?.remove();
    clearInterval(timer);
    timer = 0;
  }
}

function sound() {
  const { volume } = ringing.values().next().value;
  if (isOurs()) play('ring', volume);
  const chip = document.getElementById('sound-on');
  if (chip && isSilent()) chip.hidden = false;
}

async function beat() {
  for (const [conv, { since }] of ringing) if (Date.now() - since > LONGEST) ringing.delete(conv);
  // While nobody tells us what happens, we ask.
  if (!isLive()) await look();
  change();
  if (ringing.size) sound();
}

async function look() {
  const answer = await fetch(`${words.ringing}?only=${Array.from(ringing.keys()).join()}`).catch(() => null);
  if (!answer?.ok) return;
  const { waiting } = await answer.json();
  for (const conv of ringing.keys()) if (!waiting.includes(conv)) ringing.delete(conv);
}

export function ring({ conv, title, text, volume }, isOurTurn) {
  isOurs = isOurTurn;
  ringing.set(conv, { conv, title, text, volume, since: Date.now() });
  change();
  sound();
}

// After a reload: what still waits rings on. The sound belongs to whichever page rings first.
export async function again() {
  for (const one of JSON.parse(sessionStorage.getItem(KEY))) ringing.set(one.conv, one);
  await look();
  change();
}

on('ev', ({ conv, d }) => {
  const isElsewhere = d.agents ? !d.agents.includes(Number(words.me)) : ['chat.converted', 'chat.left'].includes(d.kind);
  if (!ringing.has(conv) || (!isElsewhere && !d.assignee && ['new', 'open'].includes(d.status))) return;
  ringing.delete(conv);
  change();
});
on('stale', () => look().then(change));
