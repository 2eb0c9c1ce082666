// Whether the page is live: told in words as soon as asking for news fails, and taken back when it works again.
function tell(state) {
  const sign = document.getElementById('live');
  if (!sign) return;
  const label = sign.querySelector('.lbl');
  label.dataset.live ??= label.textContent;
  sign.classList.toggle('off', state !== 'live');
  label.classList.toggle('vh', state === 'live' && label.dataset.quiet === '');
  label.textContent = state === 'live' ? label.dataset.live : sign.dataset[state];
}

document.addEventListener('htmx:sendError', () => tell('off'));
document.addEventListener('htmx:timeout', () => tell('off'));
document.addEventListener('htmx:responseError', (event) => tell(event.detail.xhr.status === 401 ? 'out' : 'off'));
document.addEventListener('htmx:afterRequest', (event) => { if (event.detail.successful) tell('live'); });
// A hidden page asks for nothing; it asks at once when it is looked at again.
document.addEventListener('htmx:beforeRequest', (event) => {
  if (document.hidden && event.detail.requestConfig.triggeringEvent === undefined) event.preventDefault();
});
