// The markup of our own answers as elements: only what is known to be harmless is made anew.
import { link, plain } from './marks.js';

const ALLOWED = new Set(['P', 'BR', 'B', 'STRONG', 'I', 'EM', 'U', 'S', 'UL', 'OL', 'LI', 'CODE', 'PRE', 'BLOCKQUOTE', 'A', 'DIV', 'SPAN']);
const SKIPPED = new Set(['SCRIPT', 'STYLE', 'TEMPLATE', 'TITLE', 'IFRAME', 'OBJECT', 'SVG', 'MATH']);
const DEEPEST = 40;

export function rich(html) {
  const parsed = new DOMParser().parseFromString(html, 'text/html').body;
  const root = document.createDocumentFragment();
  const left = [[parsed, root, 0]];
  while (left.length) {
    const [source, target, depth] = left.pop();
    for (const node of source.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) target.append(...(source.nodeName === 'A' ? [node.data] : plain(node.data)));
      else if (node.nodeType !== Node.ELEMENT_NODE || SKIPPED.has(node.nodeName.toUpperCase())) continue;
      else {
        const copied = copy(node);
        target.append(copied);
        if (depth < DEEPEST) left.push([node, copied, depth + 1]);
        else copied.textContent = node.textContent;
      }
    }
  }
  return root;
}

function copy(node) {
  const isSafe = node.nodeName === 'A' && /^(https?:|mailto:)/i.test(node.getAttribute('href') ?? '');
  if (isSafe) return link(node.getAttribute('href'), '');
  return document.createElement(ALLOWED.has(node.nodeName) && node.nodeName !== 'A' ? node.nodeName : 'span');
}
