// The page around us, by a port that nobody else hears. It keeps what must outlive this frame: browsers allow a frame of
// another site no storage (docs/chat-widget.md).
const { origin } = document.documentElement.dataset;
const listeners = {};
let port = null;

export const post = (message) => port?.postMessage(message);
export const keep = (name, value) => post({ t: 'keep', name, value });
export const on = (name, listener) => { listeners[name] = listener; };

function open(given) {
  port = given;
  port.onmessage = ({ data }) => listeners[data.t]?.(data);
}

export async function meet() {
  if (document.documentElement.classList.contains('page')) open((await import('./alone.js')).openPort());
  else if (origin) {
    window.addEventListener('message', (event) => {
      if (!port && event.source === window.parent && event.origin === origin && event.data?.desk === 'port') open(event.ports[0]);
    });
    window.parent.postMessage({ desk: 'hello' }, origin);
  }
}
