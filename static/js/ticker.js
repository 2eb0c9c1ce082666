// Paints every [data-due] once a second by the server's clock. Says what tickets/desk/durations.py says.
const offset = Number(document.body.dataset.now) * 1000 - Date.now();
const { left, over } = document.body.dataset;

// `isCoarse` for narrow lists: from an hour on, hours are enough.
function short(milliseconds, isCoarse) {
  const total = Math.max(Math.floor(milliseconds / 1000), 0);
  const [days, hours, minutes] = [Math.floor(total / 86400), Math.floor((total % 86400) / 3600), Math.floor((total % 3600) / 60)];
  if (total < 600) return `${minutes}:${String(total % 60).padStart(2, '0')}`;
  if (total < 3600) return `${minutes} min`;
  if (total < 86400) return minutes && hours < 10 && !isCoarse ? `${hours} h ${minutes} min` : `${hours} h`;
  return hours && days < 10 && !isCoarse ? `${days} d ${hours} h` : `${days} d`;
}

export function paint() {
  const now = Date.now() + offset;
  const list = document.getElementById('list');
  const isNarrow = list !== null && list.clientWidth < 900;
  for (const pill of document.querySelectorAll('[data-due]')) {
    const rest = Date.parse(pill.dataset.due) - now;
    const text = (rest > 0 ? left : over).replace('%s', short(Math.abs(rest), isNarrow && list.contains(pill)));
    // Untouched text is left alone, so that nothing repaints or is read aloud without need.
    if (pill.textContent !== text) pill.textContent = text;
    pill.classList.toggle('bad', rest <= 0);
    pill.classList.toggle('warn', rest > 0 && Boolean(pill.dataset.warn) && now >= Date.parse(pill.dataset.warn));
  }
}

setInterval(() => { if (!document.hidden) paint(); }, 1000);
document.addEventListener('visibilitychange', paint);
document.addEventListener('htmx:afterSettle', paint);

// The exact time of every time on the page, said when somebody points at it.
document.addEventListener('pointerover', (event) => {
  const time = event.target.closest?.('time[datetime]:not([title])');
  if (time) time.title = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: 'full', timeStyle: 'short' }).format(new Date(time.dateTime));
});
