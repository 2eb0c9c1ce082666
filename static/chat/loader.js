// The chat on your page: a button now, everything else in a frame of ours once somebody wants it. No cookies, no styles
// or pictures of ours that your Content-Security-Policy would have to allow; one global name, Desk. It needs
// `script-src`, `connect-src` and `frame-src` for our address (docs/chat-widget.md).
(() => {
  const script = document.currentScript ?? document.querySelector('script[src*="/chat/loader.js"]');
  const queued = window.Desk?.q ?? [];
  if (!script || window.Desk?.boot) return;
  const desk = new URL(script.src).origin;
  const key = script.dataset.key ?? '';
  const store = `desk:${key}`;
  const listeners = {};
  const memory = {};
  let options = {};
  let config = null;
  let host = null;
  let button = null;
  let badge = null;
  let frame = null;
  let port = null;
  let waiting = [];
  let isShown = false;
  let unread = 0;
  let visitor = null;
  let focused = null;
  let later = null;
  let undo = null;

  // A browser may forbid storage: then it lasts as long as the page.
  const kept = {
    get(name) { try { return localStorage.getItem(store + name); } catch { return memory[name] ?? null; } },
    set(name, value) {
      memory[name] = value;
      try { localStorage.setItem(store + name, value); } catch { /* kept in memory above */ }
    },
    drop(name) {
      delete memory[name];
      try { localStorage.removeItem(store + name); } catch { /* it was never there */ }
    },
    all(prefix) {
      let names = Object.keys(memory).map((name) => store + name);
      try { names = Object.keys(localStorage); } catch { /* memory's */ }
      return names.filter((name) => name.startsWith(store + prefix)).map((name) => this.get(name.slice(store.length)));
    },
  };
  const tab = (value) => {
    try {
      if (value) sessionStorage.setItem(store, value);
      return sessionStorage.getItem(store) === '1';
    } catch { return false; }
  };

  const styled = (element, values) => { for (const name in values) element.style.setProperty(name, values[name]); };
  const tell = (name, detail) => {
    for (const listener of listeners[name] ?? []) setTimeout(listener, 0, detail);
  };
  const post = (message) => (port ? port.postMessage(message) : waiting.push(message));
  const page = () => ({ url: location.href, title: document.title });
  // Who is logged in on this page, as its server has signed it: a token, or an id with its hash.
  const user = async (isNew) => {
    try { return (!isNew && (options.token ?? options.user)) || await options.refreshToken?.() || null; } catch { return null; }
  };

  const css = `:host{all:initial;position:fixed;z-index:var(--z);inset-block-end:0;inset-inline-end:0;color-scheme:light dark}
:host(.s){inset-inline:0 auto}button,iframe{position:fixed;border:0;inset-inline-end:var(--x)}:host(.s) :is(button,iframe){inset-inline:var(--x) auto}
button{inset-block-end:var(--y);inline-size:56px;block-size:56px;border-radius:50%;background:var(--c);color:var(--i);cursor:pointer;padding:0;display:grid;place-items:center;box-shadow:0 4px 16px #0005}
button:focus-visible{outline:3px solid #fff;box-shadow:0 0 0 6px #1d4ed8}button:hover{filter:brightness(1.1)}button[hidden],iframe[hidden],b[hidden]{display:none}
svg{inline-size:26px;block-size:26px;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
b{position:absolute;inset-block-start:-4px;inset-inline-end:-4px;min-inline-size:22px;block-size:22px;border-radius:11px;background:#c22c2c;color:#fff;font:600 13px/22px system-ui,sans-serif;box-sizing:border-box;padding-inline:6px;text-align:center}
iframe{inset-block-end:calc(var(--y) + 68px);inline-size:min(400px,100vw - 2*var(--x));block-size:min(704px,100dvh - var(--y) - 84px);border-radius:16px;box-shadow:0 12px 40px #0004;background:Canvas;color-scheme:inherit}
@media(max-width:480px),(max-height:480px){iframe,:host(.s) iframe{inset:var(--t,0) 0 auto;inline-size:100%;block-size:var(--h,100dvh);border-radius:0}:host(.o) button{display:none}}
@media(forced-colors:active){button,iframe,b{border:2px solid}}@media print{:host{display:none}}`;

  const draw = (path) => {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('aria-hidden', 'true');
    const line = svg.appendChild(document.createElementNS(svg.namespaceURI, 'path'));
    line.setAttribute('d', path);
    return svg;
  };
  const SPEECH = draw('M7.9 20A9 9 0 1 0 4 16.1L2 22Z');
  const CROSS = draw('M18 6 6 18M6 6l12 12');

  function build() {
    if (host) return;
    host = document.createElement('div');
    const root = host.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    button = document.createElement('button');
    button.type = 'button';
    button.setAttribute('aria-haspopup', 'dialog');
    badge = document.createElement('b');
    badge.setAttribute('aria-hidden', 'true');
    root.append(button);
    button.addEventListener('click', calls.toggle);
    button.addEventListener('keydown', (event) => { if (event.key === 'Escape' && isShown) hide(); });
    for (const name of ['pointerenter', 'focus']) button.addEventListener(name, prepare, { once: true });
    document.body.append(host);
    for (const name of ['resize', 'scroll']) window.visualViewport?.addEventListener(name, fit);
    dress();
  }

  // Whoever comes near the button may want to talk: the way to us is opened, nothing is loaded.
  function prepare() {
    const link = document.createElement('link');
    link.rel = 'preconnect';
    link.href = desk;
    document.head.append(link);
  }

  function dress() {
    const { offset } = options;
    styled(host, { '--z': options.zIndex ?? 2147483000, '--x': `${offset?.x ?? 20}px`, '--y': `${offset?.y ?? 20}px`, '--c': config.color, '--i': config.ink });
    host.classList.toggle('s', options.side === 'start');
    host.classList.toggle('o', isShown);
    button.hidden = !!options.hideLauncher;
    button.setAttribute('aria-expanded', String(isShown));
    button.setAttribute('aria-label', isShown ? config.words.close : unread ? config.words.unread.replace('%s', unread) : config.words.open);
    badge.textContent = unread > 99 ? '99+' : unread;
    badge.hidden = isShown || !unread;
    button.replaceChildren(isShown ? CROSS : SPEECH, badge);
  }

  function load() {
    if (frame) return;
    frame = document.createElement('iframe');
    frame.title = config.words.panel;
    frame.hidden = true;
    frame.allow = `autoplay ${desk}; clipboard-write ${desk}`;
    const asked = new URLSearchParams({ key, lang: config.lang, origin: location.origin });
    for (const name of ['dir', 'theme', 'color']) if (options[name]) asked.set(name, options[name]);
    frame.src = `${desk}/chat/frame/?${asked}`;
    host.shadowRoot.append(frame);
  }

  // The frame says hello, and gets a port of its own: nobody else hears what is said from then on.
  window.addEventListener('message', async (event) => {
    if (!frame || event.source !== frame.contentWindow || event.origin !== desk || event.data?.desk !== 'hello') return;
    const { port1, port2 } = new MessageChannel();
    port?.close();
    port = port1;
    port.onmessage = ({ data }) => does[data.t]?.(data);
    event.source.postMessage({ desk: 'port' }, desk, [port2]);
    post({
      t: 'boot', session: kept.get(''), draft: kept.get('.draft'), mute: kept.get('.mute'), shown: isShown, page: page(),
      outbox: kept.all('.out.').map((one) => JSON.parse(one)), user: await user(),
    });
    for (const message of waiting.splice(0)) post(message);
  });

  const does = {
    keep: ({ name, value }) => (value === null ? kept.drop(name) : kept.set(name, value)),
    visitor: ({ id }) => { visitor = id; },
    unread: ({ count }) => {
      if (count === unread) return;
      unread = count;
      dress();
      tell('unreadCountChange', count);
    },
    message: ({ message }) => tell('message', message),
    error: (wrong) => tell('error', wrong),
    close: () => hide(),
    ready: () => tell('ready'),
    refresh: async () => post({ t: 'user', user: await user(true) }),
  };

  const isSmall = () => innerWidth <= 480 || innerHeight <= 480;
  function fit() {
    const { height, offsetTop } = visualViewport;
    styled(host, { '--h': `${height}px`, '--t': `${offsetTop}px` });
  }
  // On a phone the panel is all there is: the page behind does not scroll, and is not read out.
  function cover() {
    if (!isSmall()) return;
    const root = document.documentElement;
    const { overflow } = root.style;
    const others = [...document.body.children].filter((one) => one !== host && !one.inert);
    const set = (inert, values) => { styled(root, values); for (const one of others) one.inert = inert; };
    set(true, { overflow: 'hidden' });
    undo = () => set(false, { overflow });
  }

  function show(text, isQuiet) {
    if (!host) {
      later = () => show(text);
      return;
    }
    load();
    if (!isShown) {
      isShown = true;
      focused = document.activeElement;
      frame.hidden = false;
      if (!isSmall()) tab('1');
      cover();
      dress();
      tell('show');
    }
    if (!isQuiet) frame.focus();
    post({ t: 'show', page: page(), focus: !isQuiet, text, full: isSmall() });
  }

  function hide() {
    if (!isShown) return;
    isShown = false;
    frame.hidden = true;
    tab('0');
    undo?.();
    undo = null;
    dress();
    post({ t: 'hide' });
    (button.hidden ? focused : button).focus();
    tell('hide');
  }

  async function boot(given = {}) {
    if (config) return calls.update(given);
    options = { ...options, ...given };
    config = {};
    const language = options.locale || document.documentElement.lang || navigator.languages?.join(',') || '';
    try {
      const answer = await fetch(`${desk}/chat/config?${new URLSearchParams({ key, lang: language, color: options.color ?? '' })}`, { credentials: 'omit' });
      if (!answer.ok) throw new Error((await answer.json()).code);
      config = await answer.json();
    } catch (error) {
      config = null;
      tell('error', { code: error.message });
      return;
    }
    if (!document.body) await new Promise((resolve) => { document.addEventListener('DOMContentLoaded', resolve, { once: true }); });
    if (config.hides && !kept.get('')) return;
    build();
    if (later) later();
    else if (tab()) show('', true);
    else if (kept.get('') || kept.all('.out.').length) (window.requestIdleCallback ?? setTimeout)(load);
  }

  function forget() {
    post({ t: 'shutdown' });
    hide();
    for (const name of ['', '.draft']) kept.drop(name);
    for (const entry of kept.all('.out.')) kept.drop(`.out.${JSON.parse(entry).cid}`);
    const old = frame;
    frame = null;
    waiting = [];
    unread = 0;
    options = { ...options, token: null, user: null };
    if (host) dress();
    // It still has to tell us that the session is over.
    setTimeout(() => { old?.remove(); if (!frame) port = null; }, 1000);
  }

  const calls = {
    boot,
    update(given = {}) {
      options = { ...options, ...given };
      if (host) dress();
      if (frame) post({ t: 'update', page: page(), user: given.token ?? given.user });
    },
    show: () => show(),
    hide,
    toggle: () => (isShown ? hide() : show()),
    showNewMessage: (text) => show(String(text ?? '')),
    shutdown: forget,
    destroy() {
      forget();
      host?.remove();
      host = null;
      config = null;
    },
    on(name, listener) {
      (listeners[name] ??= new Set()).add(listener);
      return () => listeners[name].delete(listener);
    },
    track(name, props) { if (frame && config?.pages && !navigator.globalPrivacyControl) post({ t: 'track', name: String(name).slice(0, 80), props }); },
    getVisitorId: () => visitor,
  };
  const Desk = (name, ...given) => calls[name]?.(...given);
  Desk.boot = true;
  window.Desk = Desk;
  for (const call of queued.splice(0)) Desk(...call);
  if (script.dataset.auto !== 'false') boot({ locale: script.dataset.locale, side: script.dataset.side });
})();
