// In the ticket form: what the help centre says about it, while it is typed. Whoever finds their answer writes none.
import { newAsking, watch } from './answers.js';

const box = document.querySelector('#suggestions');
const form = document.querySelector('form[data-ticket]');
if (box && form) {
  const { subject, message, asking } = form.elements;
  asking.value ||= newAsking();
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
