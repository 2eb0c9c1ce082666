// The list keeps itself up to date, but never moves a row that somebody is about to click or has the focus in.
const list = document.getElementById('rows');
const button = document.getElementById('show-news');

const ids = (root) => Array.from(root.querySelectorAll('li.item'), (row) => row.id).join();
const isBusy = () => list.matches(':hover') || list.contains(document.activeElement);
let held = null;

function show() {
  if (held === null) return;
  window.Idiomorph.morph(list, held, { morphStyle: 'innerHTML', ignoreActiveValue: true });
  window.htmx.process(list);
  held = null;
  button.hidden = true;
  document.dispatchEvent(new CustomEvent('htmx:afterSettle'));
}

if (list) {
  document.addEventListener('htmx:configRequest', (event) => {
    if (event.target === list) event.detail.parameters.shown = list.querySelectorAll('li.item').length;
  });
  document.addEventListener('htmx:beforeRequest', (event) => {
    // Past what one answer holds, or on a later page of the list, the reader pages by hand.
    const isTooLong = list.querySelectorAll('li.item').length > 200 || list.dataset.later !== undefined;
    if (event.target === list && isTooLong) event.preventDefault();
  });
  document.addEventListener('htmx:beforeSwap', (event) => {
    if (event.detail.target !== list) return;
    const html = event.detail.xhr.responseText;
    const fresh = new DOMParser().parseFromString(`<ul>${html}</ul>`, 'text/html');
    held = null;
    button.hidden = true;
    if (isBusy() && ids(fresh) !== ids(list)) {
      event.detail.shouldSwap = false;
      held = html;
      button.hidden = false;
    }
  });
  button.addEventListener('click', show);
  list.addEventListener('pointerleave', () => { if (!isBusy()) show(); });
  list.addEventListener('focusout', () => setTimeout(() => { if (!isBusy()) show(); }));
}
