// What was written as elements: addresses become links, nothing is ever parsed into the page as it stands.
import { make } from './dom.js';

const LINK = /\bhttps?:\/\/[^\s<>"']{2,2000}/g;
export const link = (href, text) => make('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow' }, text);

export function plain(text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    const address = found[0].replace(/[.,;:!?)\]]+$/, '');
    parts.push(text.slice(from, found.index), link(address, address));
    from = found.index + address.length;
  }
  parts.push(text.slice(from));
  return parts;
}

// What agents mark in what they write: strong words, code, links with a name.
const MARK = /\*\*([^*\n]{1,500})\*\*|`([^`\n]{1,500})`|\[([^\]\n]{1,200})\]\((https?:\/\/[^\s)]{2,2000})\)/g;

export function marked(text) {
  const parts = [];
  let from = 0;
  for (const [whole, strong, code, name, address] of text.matchAll(MARK)) {
    const at = text.indexOf(whole, from);
    parts.push(...plain(text.slice(from, at)));
    parts.push(strong ? make('strong', {}, strong) : code ? make('code', {}, code) : link(address, name));
    from = at + whole.length;
  }
  return [...parts, ...plain(text.slice(from))];
}
