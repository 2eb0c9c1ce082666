// What writing and choosing take is loaded where something is written or chosen: a list alone does without.
export async function equip(root) {
  const loads = [];
  if (root.querySelector('[data-composer], [data-tags]')) loads.push(import('./composer.js'));
  if (root.querySelector('[data-names]')) loads.push(import('./names.js'));
  if (root.querySelector('[data-on-network]')) loads.push(import('./social.js'));
  await Promise.all(loads).catch(() => null);
}
