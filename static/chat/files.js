// Files, sent ahead of the message that names them: one request each, with progress, and given up at a click.
import { session } from './api.js';
import { $, config, icon, make, say, word } from './dom.js';
import { state } from './state.js';
import './looks.js';

let files = [];
let complain = null;
let focus = null;

// `composer` is what the files are for: its list of them, where it says what is wrong, and the way back to it.
export function take(given, composer) {
  ({ files, complain, focus } = composer);
  for (const file of given) {
    if (files.length >= config.limits.files) complain(word('too_many'));
    else if (file.size > config.limits.file) complain(word('too_large', file.name));
    else upload(file);
  }
}

async function upload(file) {
  const one = { name: file.name || 'image.png', type: file.type, id: null, url: '', done: 0, request: new XMLHttpRequest() };
  files.push(one);
  draw();
  say(word('uploading', one.name));
  try {
    await session();
    const answer = await sent(one, file);
    Object.assign(one, { id: answer.id, name: answer.name, type: answer.type });
    if (one.type.startsWith('image/')) one.url = URL.createObjectURL(file);
    say(word('uploaded', one.name));
    complain('');
  } catch (error) {
    if (!files.includes(one)) return;
    files.splice(files.indexOf(one), 1);
    complain([word('bad_file', one.name), error.message].filter(Boolean).join(' '));
  }
  draw();
}

const sent = (one, file) => new Promise((resolve, reject) => {
  const body = new FormData();
  body.append('file', file, one.name);
  const { request } = one;
  request.open('POST', '/chat/api/uploads');
  request.setRequestHeader('Authorization', `Bearer ${state.session}`);
  request.responseType = 'json';
  request.upload.onprogress = (event) => {
    one.done = event.loaded / event.total;
    if (one.bar) one.bar.value = one.done;
  };
  request.onload = () => (request.status < 300 ? resolve(request.response) : reject(new Error(request.response?.detail ?? '')));
  request.onerror = () => reject(new Error(''));
  request.send(body);
});

function draw() {
  $('files').hidden = !files.length;
  $('files').replaceChildren(...files.map((one) => {
    one.bar = one.id ? null : make('progress', { max: 1, value: one.done, ariaLabel: word('uploading', one.name) });
    const remove = make('button', { type: 'button', className: 'icon', ariaLabel: word('remove', one.name), onclick: () => cancel(one) }, icon('x'));
    return make('li', {}, make('span', { dir: 'auto' }, one.name), one.bar, remove);
  }));
}

function cancel(one) {
  files.splice(files.indexOf(one), 1);
  one.request.abort();
  draw();
  focus();
}
