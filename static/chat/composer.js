// Where the visitor writes: text that is kept whatever happens.
import { $, config, newId, word } from './dom.js';
import { keep } from './host.js';
import { add } from './outbox.js';
import { state } from './state.js';
import { whisper } from './wire.js';

const TYPING_EVERY = 3000;
const text = $('text');
// What will be sent along: of each file its id, once it has arrived.
const files = [];
let typedAt = 0;

export const focus = () => text.focus();
export const isWriting = () => text.value.trim() !== '';

export function put(value) {
  if (!value) return;
  text.value = text.value.trim() && text.value !== value ? `${text.value}\n${value}` : value;
  changed();
}

function changed() {
  if (!CSS.supports('field-sizing', 'content')) {
    text.style.height = 'auto';
    text.style.height = `${text.scrollHeight}px`;
  }
  save();
}
const save = () => keep('.draft', text.value || null);

text.addEventListener('input', () => {
  changed();
  complain('');
  if (!text.value) hush();
  else if (Date.now() - typedAt > TYPING_EVERY) {
    typedAt = Date.now();
    whisper('typing');
  }
});
function hush() {
  if (typedAt) whisper('typing', { off: true });
  typedAt = 0;
}

text.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  $('write').requestSubmit();
});

export function complain(message, field) {
  $('wrong').textContent = message;
  for (const one of [$('email'), text]) one.toggleAttribute('aria-invalid', false);
  if (!field) return;
  field.setAttribute('aria-invalid', 'true');
  field.focus();
}

// Whether an address is asked for, and whether nobody gets by without one.
export const asks = () => {
  const { form } = config;
  const isNew = state.conv === null;
  const isLate = !state.avail.live || state.mode === 'ticket';
  const email = isNew && !state.me.email && (form.email || form.needs_email || isLate);
  return { name: isNew && form.name && !state.me.name, email, needs: email && (form.needs_email || isLate) };
};

export function dress() {
  const { name, email, needs } = asks();
  $('ask').hidden = !name && !email;
  $('ask-name').hidden = !name;
  $('ask-email').hidden = !email;
  $('email-label').hidden = needs;
  $('email-needed').hidden = !needs;
  $('email').required = needs;
}

$('write').addEventListener('submit', (event) => {
  event.preventDefault();
  const value = text.value.trim();
  const email = $('email').value.trim();
  const ready = files.filter((file) => file.id);
  const asked = asks();
  if (!value && !files.length) return complain(word('need_text'), text);
  if (files.some((file) => !file.id)) return complain(word('uploading', files.find((file) => !file.id).name), text);
  if (asked.needs && !email) return complain(word('need_email'), $('email'));
  if (asked.email && email && !isAddress(email)) return complain(word('bad_email'), $('email'));
  const form = { name: $('name').value.trim() || undefined, email: (asked.email && email) || undefined };
  add({
    cid: newId(), conv: state.conv, text: value, form, mode: state.conv ? null : state.mode,
    files: ready.map(({ id, name, type, url }) => ({ id, name, type, url })), at: Date.now(), tries: 0, failed: null,
  });
  text.value = '';
  files.length = 0;
  $('files').hidden = true;
  changed();
  hush();
  complain('');
  text.focus();
});

// Files: what sends them comes with the first one.

const attach = async (given) => {
  const list = [...given];
  if (list.length) (await import('./files.js')).take(list, { files, complain, focus });
};
$('clip').addEventListener('click', () => $('pick').click());
$('pick').addEventListener('change', async (event) => {
  await attach(event.target.files);
  event.target.value = '';
});
import('./drops.js').then(({ watch }) => watch(text, attach));

// Emoji come when they are asked for.

$('smile').addEventListener('click', async () => {
  const box = $('emoji');
  box.hidden = !box.hidden;
  $('smile').setAttribute('aria-expanded', String(!box.hidden));
  if (!box.childElementCount) (await import('./emoji.js')).fill(box, text, changed);
});

export const isAddress = (value) => /^[^\s@]+@[^\s@]+\.[^\s@]{2,}$/.test(value);
