// Fields that name things there may be thousands of: the server suggests names while one types.
import { whenThere } from './ready.js';
import { suggest } from './suggestions.js';

whenThere('[data-names]', (field) => {
  // The browser's own list would stand over ours, and knows only the first of them.
  field.removeAttribute('list');
  field.parentElement.classList.add('suggests');
  // One a line, where there are lines.
  const typed = () => field.value.slice(0, field.selectionStart).split('\n').at(-1);
  suggest(field, {
    host: field.parentElement,
    label: field.labels?.[0]?.textContent.trim() ?? '',
    find: async () => {
      const words = typed().trim();
      if (!words) return [];
      const address = new URL(field.dataset.names, window.location);
      address.searchParams.set('q', words);
      const answer = await fetch(address).catch(() => null);
      const found = answer?.ok ? (await answer.json()).results : [];
      return found.length === 1 && found[0].name === words ? [] : found;
    },
    choose: (item) => {
      field.setRangeText(item.name, field.selectionStart - typed().length, field.selectionStart, 'end');
      field.dispatchEvent(new Event('input', { bubbles: true }));
    },
  });
});
