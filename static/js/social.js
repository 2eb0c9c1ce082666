// On social networks: the network's own count while one types, what would stand in public, and texts to put in.
import { insert } from './markup.js';
import { whenThere } from './ready.js';

const PAUSE = 200;

whenThere('[data-on-network]', (form) => {
  const [text, shown] = [form.elements.text, form.querySelector('#counted')];
  let waiting = 0;
  let asked = 0;
  async function count() {
    asked += 1;
    const mine = asked;
    // Drafts go in the body: addresses are written into logs.
    const body = new URLSearchParams({ text: text.value, csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value });
    const answer = await fetch(form.dataset.onNetwork, { method: 'POST', body, headers: { Accept: 'application/json' } }).catch(() => null);
    if (!answer?.ok || mine !== asked) return;
    const told = await answer.json();
    const words = [shown.dataset.words.replace('%l', told.length).replace('%m', told.limit)];
    if (!told.fits) words.push(shown.dataset.over);
    if (told.price) words.push(shown.dataset.price.replace('%s', told.price));
    if (told.exposes.length) words.push(shown.dataset.private.replace('%s', told.exposes.join(', ')));
    shown.textContent = words.join(' · ');
    shown.classList.toggle('over', !told.fits || told.exposes.length > 0);
  }
  text.addEventListener('input', () => { clearTimeout(waiting); waiting = setTimeout(count, PAUSE); });
  count();
});

whenThere('[data-insert]', (button) => {
  button.addEventListener('click', () => {
    const text = document.querySelector('[data-on-network]')?.elements.text;
    if (!text) return;
    text.focus();
    insert(text, button.dataset.insert);
  });
});

whenThere('[data-copies]', (button) => {
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.querySelector(button.dataset.copies).value);
    button.querySelector('span').textContent = button.dataset.done;
  });
});
