// In the ticket form: what the help centre says about it, while it is typed. Whoever finds their answer writes none.
import { newAsking, watch } from './answers.js';

// Who comes back from an article that had answered, and writes all the same, is the same writer: within half an hour
// a tab keeps the name of its writing until the ticket is sent.
const KEPT = 'asking';
const KEPT_FOR = 30 * 60_000;
const tried = (act) => { try { return act(); } catch { return null; } };

function going() {
  const [name, since] = (tried(() => sessionStorage.getItem(KEPT)) ?? '').split(' ');
  if (name && Date.now() - since < KEPT_FOR) return name;
  const made = newAsking();
  tried(() => sessionStorage.setItem(KEPT, `${made} ${Date.now()}`));
  return made;
}

const box = document.querySelector('#suggestions');
const form = document.querySelector('form[data-ticket]');
if (box && form) {
  const { subject, message, asking } = form.elements;
  asking.value ||= going();
  form.addEventListener('submit', () => tried(() => sessionStorage.removeItem(KEPT)));
  const look = watch({
    box,
    text: () => `${subject.value} ${message.value}`,
    from: box.dataset.url,
    where: 'form',
    asking: asking.value,
    done: (says, id) => {
      if (box.dataset.then) { location.assign(`${box.dataset.then}?article=${id}`); return; }
      const said = document.createElement('p');
      said.className = 'card';
      said.tabIndex = -1;
      said.textContent = says.thanks;
      form.replaceWith(said);
      said.focus();
    },
  });
  for (const field of [subject, message]) field.addEventListener('input', look);
}
