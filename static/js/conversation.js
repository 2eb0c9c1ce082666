// Asks every few seconds whether something happened in this conversation, and puts it in without touching what is typed.
const thread = document.querySelector('#thread[data-live]');
const scroll = document.getElementById('scroll');

function toEnd() {
  if (scroll) scroll.scrollTop = scroll.scrollHeight;
}

function isAtEnd() {
  return scroll && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
}

function isTouched(part) {
  if (part.contains(document.activeElement)) return true;
  return Array.from(part.querySelectorAll('input:not([type=hidden]), select, textarea')).some((field) => {
    if (field.type === 'checkbox') return field.checked !== field.defaultChecked;
    if (field.tagName === 'SELECT') return Array.from(field.options).some((option) => option.selected !== option.defaultSelected) && !field.options[field.selectedIndex].defaultSelected;
    return field.value !== field.defaultValue;
  });
}

async function ask() {
  const head = document.getElementById('head');
  if (document.hidden || !head) return;
  const wasAtEnd = isAtEnd();
  await window.htmx.ajax('GET', `${head.dataset.news}?seq=${head.dataset.seq}`, { source: '#thread', target: '#thread', swap: 'morph:innerHTML' });
  if (wasAtEnd) toEnd();
}

if (thread) {
  if (!location.hash || location.hash === `#${thread.querySelector('.msg:last-of-type')?.id}`) toEnd();
  document.addEventListener('htmx:oobBeforeSwap', (event) => {
    // Somebody is writing or choosing there: their page keeps what they have, and saving changes only what they changed.
    if (isTouched(event.detail.target)) event.detail.shouldSwap = false;
  });
  document.addEventListener('htmx:beforeSwap', (event) => {
    // Older messages that were asked for stay: a fresh thread holds only the newest.
    if (event.detail.target !== thread || !thread.dataset.older) return;
    const fresh = new DOMParser().parseFromString(`<ol>${event.detail.xhr.responseText}</ol>`, 'text/html');
    const known = new Set(Array.from(thread.querySelectorAll('.msg'), (message) => message.id));
    const isNew = Array.from(fresh.querySelectorAll('.msg')).some((message) => !known.has(message.id));
    if (!isNew) event.detail.shouldSwap = false;
  });
  thread.addEventListener('htmx:afterRequest', (event) => {
    if (event.target.closest('.older')) thread.dataset.older = 'shown';
  });
  setInterval(ask, 4000);
  document.addEventListener('visibilitychange', ask);
}
