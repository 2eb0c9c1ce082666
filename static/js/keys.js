// Single keys outside of fields. Never with Alt, Ctrl or Meta: those belong to the browser and to national keyboards.
const dialog = document.getElementById('keys');
const click = (id) => document.getElementById(id)?.click();

function write(kind) {
  const form = document.querySelector('[data-composer]');
  if (!form) return;
  form.elements.kind.value = kind;
  form.elements.text.focus();
}

function step(by) {
  const links = Array.from(document.querySelectorAll('#rows a.row'));
  if (!links.length) return;
  const here = links.indexOf(document.activeElement);
  const next = links[Math.min(Math.max(here + by, 0), links.length - 1)];
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
}

const actions = {
  j: () => step(1),
  k: () => step(-1),
  r: () => write('reply'),
  n: () => write('note'),
  i: () => click('take'),
  e: () => click('resolve'),
  u: () => document.querySelector('[data-back]')?.click(),
  '?': () => dialog.showModal(),
};

function isField(element) {
  return element.closest('input, textarea, select, [contenteditable]') !== null;
}

document.addEventListener('keydown', (event) => {
  const action = actions[event.key];
  if (event.key === 'Escape' && isField(event.target)) { event.target.blur(); return; }
  if (!action || event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
  if (isField(event.target) || dialog.open) return;
  event.preventDefault();
  action();
});

document.querySelector('[data-keys]')?.addEventListener('click', (event) => {
  event.preventDefault();
  dialog.showModal();
});
