// Says that the page has become old, or that there is news. Nothing else needs it: the page is complete without.
const LOOK_EVERY = 30_000;
const OLD_AFTER = 600_000;
const { made, top } = document.body.dataset;
const show = id => { document.getElementById(id).hidden = false; };
let known = "";

async function look() {
  if (Date.now() - Date.parse(made) > OLD_AFTER) show("old");
  if (document.hidden) return;
  try {
    const answer = await fetch(`${top}api/v2/summary.json`, { cache: "no-cache" });
    if (!answer.ok) return;
    const text = await answer.text();
    if (known && text !== known) show("news");
    known ||= text;
  } catch { /* without a network it can only become old, which is said */ }
}

setInterval(look, LOOK_EVERY);
look();
