// What is typed is kept in this browser until the server has it; files show how far they have come. Without this script
// the form works as well.
const form = document.querySelector('#answer');
const { text, uploads, client_id: clientId, seen } = form.elements;
const key = `portal:${form.dataset.customer}:${form.dataset.conversation}`;
const trouble = document.querySelector('#trouble');
const progress = document.querySelector('#progress');
const list = form.querySelector('.chosen');
const button = form.querySelector('button[type="submit"]');
let files = [];

const read = () => { try { return JSON.parse(localStorage.getItem(key) ?? 'null'); } catch { return null; } };
const forget = () => localStorage.removeItem(key);
const keep = () => {
  if (text.value.trim()) localStorage.setItem(key, JSON.stringify({ text: text.value, client_id: clientId.value }));
  else forget();
};
const tell = (words) => {
  trouble.lastElementChild.textContent = words;
  trouble.hidden = !words;
};

const kept = read();
if (kept && document.querySelector(`[data-client-id="${CSS.escape(kept.client_id)}"]`)) forget();
else if (kept && !text.value) {
  text.value = kept.text;
  clientId.value = kept.client_id;
}
text.addEventListener('input', keep);

const show = () => {
  const all = new DataTransfer();
  for (const file of files) all.items.add(file);
  uploads.files = all.files;
  list.hidden = !files.length;
  list.replaceChildren(...files.map((file) => {
    const line = document.createElement('li');
    const name = document.createElement('span');
    name.className = 'ell';
    name.textContent = file.name;
    const remove = document.createElement('button');
    remove.type = 'button';
    remove.className = 'btn g sm';
    remove.textContent = form.dataset.remove;
    remove.setAttribute('aria-label', `${form.dataset.remove}: ${file.name}`);
    remove.addEventListener('click', () => { files = files.filter((other) => other !== file); show(); });
    line.append(name, remove);
    return line;
  }));
  const size = files.reduce((sum, file) => sum + file.size, 0);
  tell(files.length > Number(form.dataset.mostFiles) ? form.dataset.many : size > Number(form.dataset.mostBytes) ? form.dataset.large : '');
};
uploads.addEventListener('change', () => { files = [...files, ...uploads.files]; show(); });
text.addEventListener('paste', (event) => {
  if (!event.clipboardData.files.length) return;
  event.preventDefault();
  files = [...files, ...event.clipboardData.files];
  show();
});

const end = (words) => {
  progress.hidden = true;
  button.disabled = false;
  form.removeAttribute('aria-busy');
  tell(words);
  trouble.scrollIntoView({ block: 'nearest' });
};
form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (button.disabled) return;
  tell('');
  button.disabled = true;
  form.setAttribute('aria-busy', 'true');
  const call = new XMLHttpRequest();
  call.open('POST', form.action);
  call.setRequestHeader('Accept', 'application/json');
  call.upload.addEventListener('progress', (now) => {
    progress.hidden = !files.length;
    progress.value = now.lengthComputable ? (100 * now.loaded) / now.total : 0;
  });
  call.addEventListener('error', () => end(form.dataset.kept));
  call.addEventListener('load', () => {
    let answer = {};
    try { answer = JSON.parse(call.responseText); } catch { /* a page of an error */ }
    if (call.status === 200 && answer.url) {
      forget();
      text.value = '';
      location.assign(answer.url);
      if (new URL(answer.url, location).pathname === location.pathname) location.reload();
      return;
    }
    if (call.status === 401 || call.status === 403) { location.reload(); return; }
    end(answer.trouble || form.dataset.kept);
    // What came meanwhile is fetched, and has been seen then.
    if (call.status === 409) document.querySelector('#poll')?.dispatchEvent(new CustomEvent('look'));
  });
  call.send(new FormData(form));
});

document.body.addEventListener('htmx:afterSettle', () => {
  const ids = [...document.querySelectorAll('#thread .said')].map((one) => Number(one.id.slice(1)));
  seen.value = String(Math.max(Number(seen.value), ...ids));
});
document.documentElement.classList.remove('no-js');
