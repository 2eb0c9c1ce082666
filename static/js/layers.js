// Toasts, and pages shown in a layer above this one: links with [data-layer], for whoever has a script.
import { equip } from './equip.js';

const toasts = document.getElementById('toasts');
const layer = document.getElementById('layer');

export const words = toasts?.dataset ?? {};

// A line in the corner: text of ours, or a fragment from the server. It stays while somebody is at it.
export function toast(content, seconds = 12) {
  const line = typeof content === 'string' ? document.createElement('p') : content;
  if (typeof content === 'string') {
    line.className = 'toast bad';
    line.textContent = content;
  }
  toasts.replaceChildren(line);
  window.htmx.process(line);
  const leave = () => {
    if (!line.isConnected) return;
    if (line.matches(':hover') || line.contains(document.activeElement)) setTimeout(leave, 3000);
    else line.remove();
  };
  setTimeout(leave, seconds * 1000);
}

// What went wrong, in words: an answer that is no success, or a connection that is not there.
export function explain(error) {
  toast(error instanceof Response ? (error.status === 401 ? words.out : words.failed) : words.offline);
}

export const parsed = (html) => {
  const template = document.createElement('template');
  template.innerHTML = html;
  return template.content;
};

export async function request(url, target, options = {}) {
  const headers = { 'HX-Request': 'true', 'HX-Target': target, ...options.headers };
  return fetch(url, { credentials: 'same-origin', cache: 'no-store', ...options, headers });
}

// Styles and scripts that the page has and this one has not: waited for, so that nothing is seen unstyled.
export function adopt(head) {
  const loads = [];
  for (const part of head?.content.querySelectorAll('link[rel="stylesheet"], script[type="module"]') ?? []) {
    const [name, address] = part.href ? ['href', part.getAttribute('href')] : ['src', part.getAttribute('src')];
    if (document.head.querySelector(`[${name}="${CSS.escape(address)}"]`)) continue;
    const made = document.createElement(part.tagName);
    for (const { name: key, value } of part.attributes) made.setAttribute(key, value);
    loads.push(new Promise((done) => { made.onload = made.onerror = done; }));
    document.head.append(made);
  }
  return Promise.all(loads);
}

// The page behind `url` without its surroundings, in a dialog; where that cannot be, the page itself.
export async function show(url) {
  try {
    const answer = await request(url, 'layer-body');
    if (!answer.ok) throw answer;
    await fill(await answer.text());
  } catch (error) {
    explain(error);
  }
}

export async function fill(html) {
  const body = document.getElementById('layer-body');
  const content = parsed(html);
  layer.setAttribute('aria-label', content.querySelector('title')?.textContent ?? '');
  await adopt(content.querySelector('template[data-head]'));
  content.querySelectorAll('title, template').forEach((part) => part.remove());
  await equip(content);
  body.replaceChildren(content);
  window.htmx.process(body);
  document.dispatchEvent(new CustomEvent('desk:layer'));
  const macros = body.querySelector('[data-macros]');
  if (macros) import('./macros.js').then(({ prepare }) => prepare(macros));
  if (!layer.open) layer.showModal();
  (body.querySelector('[autofocus]') ?? body.querySelector('input:not([type=hidden], [type=checkbox]), select, textarea'))?.focus();
}

export const close = () => layer?.close();

document.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-layer]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  show(link.href).then(() => { if (link.hash) document.querySelector(`#layer-body ${CSS.escape(link.hash).replace('\\#', '#')}`)?.focus(); });
});
// What is looked for in a layer is found there.
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (!form.matches('#layer form[data-layer]')) return;
  event.preventDefault();
  show(`${form.action}?${new URLSearchParams(new FormData(form))}`);
});
// A click beside a layer closes it, as with popovers.
for (const dialog of document.querySelectorAll('dialog')) {
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
}
