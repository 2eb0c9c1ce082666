// A list of suggestions under the caret of a field: arrows, Enter or Tab choose, Escape closes. The field keeps focus.
let count = 0;

export function suggest(field, { host, label, find, choose }) {
  const list = document.createElement('ul');
  list.className = 'suggestions';
  list.id = `suggestions-${count += 1}`;
  list.hidden = true;
  list.setAttribute('role', 'listbox');
  list.setAttribute('aria-label', label);
  host.append(list);
  let shown = [];
  let at = 0;
  let asked = 0;

  const close = () => {
    list.hidden = true;
    shown = [];
    field.removeAttribute('aria-activedescendant');
    field.removeAttribute('aria-controls');
  };
  const mark = (next) => {
    at = (next + shown.length) % shown.length;
    Array.from(list.children).forEach((line, number) => line.setAttribute('aria-selected', String(number === at)));
    field.setAttribute('aria-activedescendant', list.children[at].id);
    list.children[at].scrollIntoView({ block: 'nearest' });
  };
  const line = (item, number) => {
    const made = document.createElement('li');
    made.id = `${list.id}-${number}`;
    made.setAttribute('role', 'option');
    for (const text of [item.name, item.hint ?? '']) {
      const part = document.createElement('span');
      part.textContent = text;
      made.append(part);
    }
    made.addEventListener('pointerdown', (event) => { event.preventDefault(); take(item, event.shiftKey); });
    return made;
  };
  const take = (item, isOther) => { close(); choose(item, isOther); };

  const look = async () => {
    const turn = asked += 1;
    const items = await find();
    if (turn !== asked || document.activeElement !== field) return;
    if (!items?.length) { close(); return; }
    shown = items;
    list.replaceChildren(...items.map(line));
    list.hidden = false;
    field.setAttribute('aria-controls', list.id);
    mark(0);
  };

  field.setAttribute('aria-autocomplete', 'list');
  field.addEventListener('input', look);
  field.addEventListener('blur', close);
  field.addEventListener('keydown', (event) => {
    if (list.hidden || event.isComposing) return;
    if (event.key === 'ArrowDown') mark(at + 1);
    else if (event.key === 'ArrowUp') mark(at - 1);
    else if ((event.key === 'Enter' && !event.ctrlKey && !event.metaKey) || event.key === 'Tab') take(shown[at], event.shiftKey);
    else if (event.key === 'Escape') close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  });
  return { look, close };
}
