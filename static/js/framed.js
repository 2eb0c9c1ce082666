// Tells the page around it how high it is, and nothing else.
const tell = () => parent.postMessage({ helpdesk: 'height', height: document.documentElement.scrollHeight }, '*');
if (parent !== window) new ResizeObserver(tell).observe(document.body);
