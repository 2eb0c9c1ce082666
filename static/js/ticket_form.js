// Files show how far they have come, and need not be chosen again when something is wrong. Without this script the form
// works as well.
const form = document.querySelector('form[data-ticket]');
const progress = form.querySelector('progress');
const summary = document.querySelector('#wrong');
const button = form.querySelector('button[type="submit"]');

const tell = (words) => {
  summary.querySelector('ul').replaceChildren(...words.map((word) => {
    const line = document.createElement('li');
    line.textContent = word;
    return line;
  }));
  summary.hidden = !words.length;
  if (words.length) summary.focus();
};
form.addEventListener('submit', (event) => {
  if (!form.elements.uploads.files.length) return;
  event.preventDefault();
  if (button.disabled) return;
  button.disabled = true;
  tell([]);
  const call = new XMLHttpRequest();
  call.open('POST', form.action || location.href);
  call.setRequestHeader('Accept', 'application/json');
  call.upload.addEventListener('progress', (now) => {
    progress.hidden = false;
    progress.value = now.lengthComputable ? (100 * now.loaded) / now.total : 0;
  });
  const end = (words) => { progress.hidden = true; button.disabled = false; tell(words); };
  call.addEventListener('error', () => end([form.dataset.offline]));
  call.addEventListener('load', () => {
    let answer = {};
    try { answer = JSON.parse(call.responseText); } catch { /* a page of an error */ }
    if (answer.url) { location.assign(answer.url); return; }
    if (answer.token) form.elements.token.value = answer.token;
    end(answer.troubles ?? [form.dataset.offline]);
  });
  call.send(new FormData(form));
});
