// The menu of macros: typing narrows it, arrows choose, Enter applies, all without leaving the field.
export function prepare(form) {
  const field = form.querySelector('#macro-find');
  const none = form.querySelector('.none');
  const all = Array.from(form.querySelectorAll('.choice'), (choice) => ({
    choice, radio: choice.querySelector('input'), words: choice.textContent.toLowerCase(), name: choice.querySelector('label').textContent.toLowerCase(),
  }));
  const shown = () => all.filter(({ choice }) => !choice.hidden);

  function choose(one) {
    if (one) one.radio.checked = true;
    one?.choice.scrollIntoView({ block: 'nearest' });
  }

  // By name first; what a macro does is looked at where no name fits.
  field.addEventListener('input', () => {
    const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (text) => wanted.every((word) => text.includes(word));
    const byName = all.some(({ name }) => fits(name));
    for (const one of all) one.choice.hidden = !fits(byName ? one.name : one.words);
    none.hidden = shown().length > 0;
    for (const one of all) if (one.choice.hidden) one.radio.checked = false;
    if (!shown().some(({ radio }) => radio.checked)) choose(shown()[0]);
  });
  field.addEventListener('keydown', (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by || !shown().length) return;
    event.preventDefault();
    const at = shown().findIndex(({ radio }) => radio.checked);
    choose(shown()[(at + by + shown().length) % shown().length]);
  });
}
