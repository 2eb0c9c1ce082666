// How things on demand look: whoever imports this waits until it is known, so that nothing is shown undressed.
import { make } from './dom.js';

const link = make('link', { rel: 'stylesheet', href: document.documentElement.dataset.looks });
const there = new Promise((resolve) => { link.onload = link.onerror = resolve; });
document.head.append(link);
await there;
