// What writing takes is loaded where something is written: a list alone does without.
export async function equip(root) {
  if (root.querySelector('[data-composer], [data-tags]')) await import('./composer.js').catch(() => null);
}
