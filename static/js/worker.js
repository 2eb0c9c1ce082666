// Woken by Web Push: shows what it is told, and leads to it, to an open page of the desk first.
// Not every system draws an SVG; the second stands, in one colour, in the bar of a phone.
const ICON = '/static/img/icon-192.png';
const BADGE = '/static/img/badge-96.png';

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('push', (event) => {
  let told = {};
  try { told = event.data?.json() ?? {}; } catch { /* not ours; something has to be shown all the same */ }
  event.waitUntil(self.registration.showNotification(told.title ?? 'Helpdesk', {
    body: told.text ?? '', tag: told.tag, renotify: Boolean(told.tag), icon: ICON, badge: BADGE, data: { url: told.url ?? '/desk/' },
  }));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const url = new URL(event.notification.data.url, self.location.origin);
  if (url.origin !== self.location.origin) return;
  event.waitUntil((async () => {
    const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
    const open = pages.find((page) => page.url === url.href) ?? pages.find((page) => new URL(page.url).pathname.startsWith('/desk/'));
    if (!open) return self.clients.openWindow(url);
    await open.focus();
    return open.url === url.href ? open : open.navigate(url).catch(() => self.clients.openWindow(url));
  })());
});
