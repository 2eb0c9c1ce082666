// The page of notifications: this browser can be woken by Web Push, each sound can be heard.
import { play, resume } from './sound.js';

const box = document.querySelector('[data-push-key]');
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (letter) => letter.charCodeAt(0));
const said = (name) => { const line = document.getElementById('push-said'); line.textContent = box.dataset[name] ?? ''; };

async function keep(subscription) {
  const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': box.querySelector('[name="csrfmiddlewaretoken"]').value };
  const answer = await fetch(box.dataset.subscribe, { method: 'POST', headers, body: JSON.stringify(subscription) });
  if (!answer.ok) throw answer;
}

async function subscribe() {
  if (await Notification.requestPermission() !== 'granted') { said('refused'); return; }
  const registration = await navigator.serviceWorker.register(box.dataset.worker, { scope: '/desk/' });
  await navigator.serviceWorker.ready;
  const old = await registration.pushManager.getSubscription();
  await old?.unsubscribe();
  await keep(await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(box.dataset.pushKey) }));
  location.reload();
}

// Subscribed with a key that is ours no more: done again, without a word.
async function renew() {
  const registration = await navigator.serviceWorker.getRegistration('/desk/');
  const old = await registration?.pushManager.getSubscription();
  const key = old?.options.applicationServerKey;
  if (!key || btoa(String.fromCharCode(...new Uint8Array(key))) === btoa(String.fromCharCode(...bytes(box.dataset.pushKey)))) return;
  await subscribe();
}

if (box) {
  const button = document.getElementById('push-on');
  if ('serviceWorker' in navigator && 'PushManager' in window) {
    button.hidden = false;
    button.addEventListener('click', () => subscribe().catch(() => said('failed')));
    renew().catch(() => said('failed'));
  } else said('missing');
  for (const sample of document.querySelectorAll('[data-sample]')) {
    sample.addEventListener('click', () => resume().then(() => play(sample.dataset.sample, Number(document.getElementById('volume').value))));
  }
}
