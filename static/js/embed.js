// <script async src="https://help.example/tickets/embed.js" data-key="pk_…" data-user="JWT"></script>
// puts the ticket form where the script stands. With data-id and data-hash in place of data-user for sites without JWT.
(() => {
  const script = document.currentScript;
  const home = new URL('embedded/', script.src);
  for (const name of ['key', 'user', 'id', 'hash', 'topic', 'service', 'subject']) {
    if (script.dataset[name]) home.searchParams.set(name, script.dataset[name]);
  }
  const frame = document.createElement('iframe');
  frame.src = home.href;
  frame.title = script.dataset.title || 'Help';
  frame.referrerPolicy = 'origin';
  frame.style.cssText = 'inline-size:100%;block-size:720px;border:0;color-scheme:auto';
  addEventListener('message', (event) => {
    if (event.source !== frame.contentWindow || event.origin !== home.origin) return;
    if (event.data?.helpdesk === 'height') frame.style.blockSize = `${Math.min(Number(event.data.height) || 720, 10000)}px`;
  });
  script.after(frame);
})();
