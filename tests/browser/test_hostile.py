"""Texts that try to leave their place: letters piled up paint over nobody, turned-around text turns nothing else."""

import base64
from datetime import timedelta

import pytest
from django.utils.timezone import now
from playwright.sync_api import Page, expect

from helpdesk.conversations.channel import File
from helpdesk.customers.models import Customer, Organization
from tests.browser.conftest import Enter
from tests.fixtures.company import Company
from tests.fixtures.desk import write

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ZALGO = "Z" + "\u0351\u0352\u0357\u035b\u0317\u0323\u0324\u0329" * 20 + "algo"
# Everything after it is read from right to left, wherever nothing isolates it.
TURNED = "\u202egpj.exe"
# In how many places such a text is shown, and in which of them something follows it in the same run of letters.
_NOT_ISOLATED = """turned => {
  const ends = /^(block|flex|grid|list-item|table)/;
  const isolates = ["isolate", "isolate-override", "plaintext"];
  const look = (box, what) => document.createTreeWalker(box, what);
  const follows = (text, box) => {
    if (/flex|grid/.test(getComputedStyle(box).display)) return false;
    const nodes = look(box, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    nodes.currentNode = text;
    for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
      if (node instanceof Element) {
        if (node.tagName === "BR" || ends.test(getComputedStyle(node).display)) return false;
      } else if (node.data.trim() && node.parentElement.checkVisibility()) return true;
    }
    return false;
  };
  const [found, texts] = [[], look(document.body, NodeFilter.SHOW_TEXT)];
  let places = 0;
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    if (!text.data.includes(turned) || !text.parentElement.checkVisibility()) continue;
    places += 1;
    let box = text.parentElement;
    const isRun = ({ display, unicodeBidi }) => display === "inline" && !isolates.includes(unicodeBidi);
    while (isRun(getComputedStyle(box))) box = box.parentElement;
    if (!text.data.trimEnd().endsWith(turned) || follows(text, box))
      found.push(`${box.tagName}.${box.className}: ${box.textContent.trim().slice(0, 100)}`);
  }
  return [places, found];
}"""


# Of two pictures: whether a point differs by more than what smoothing the edges of letters may do, run to run.
_DIFFER = """async pictures => {
  const [one, other] = await Promise.all(pictures.map(async data => {
    const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
    const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
    canvas.drawImage(picture, 0, 0);
    return canvas.getImageData(0, 0, picture.width, picture.height).data;
  }));
  return one.length !== other.length || one.some((value, at) => Math.abs(value - other[at]) > 40);
}"""
_FIX_SIZE = """one => {
  const box = document.querySelector(one), { height, width } = box.getBoundingClientRect();
  Object.assign(box.style, { height: `${height}px`, width: `${width}px`, boxSizing: "border-box" });
}"""
_STYLE = """css => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [sheet];
}"""
_UNPILE = """one => {
  const texts = document.createTreeWalker(document.querySelector(one), NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode())
    text.data = text.data.replace(/[\\u0300-\\u036f]/g, "");
}"""


def _painted_over(page: Page, hostile: str, neighbours: list[str]) -> list[str]:
    """Which of the neighbours look different once the hostile letters are gone from a box that keeps its size."""
    page.evaluate(_FIX_SIZE, hostile)
    before = [_picture(page, one) for one in neighbours]
    page.evaluate(_UNPILE, hostile)
    after = [_picture(page, one) for one in neighbours]
    empty = page.context.new_page()
    pairs = zip(neighbours, before, after, strict=True)
    return [one for one, old, new in pairs if empty.evaluate(_DIFFER, [old, new])]


def _picture(page: Page, selector: str) -> str:
    return base64.b64encode(page.locator(selector).screenshot(animations="disabled")).decode()


def test_letters_piled_up_paint_over_no_neighbour(enter: Enter, company: Company) -> None:
    at = now()
    Customer.objects.filter(pk=company.gil.pk).update(name=ZALGO)
    for number, (who, text) in enumerate(((company.carol, "Above"), (company.gil, ZALGO), (company.ivy, "Below"))):
        opened = write(who, at - timedelta(minutes=30 - number), subject=text, text=text)
        if who == company.gil:
            middle = opened
    for number, text in enumerate(("Before it", f"{ZALGO} {ZALGO}", "After it")):
        write(company.gil, at - timedelta(minutes=20 - number), conversation_id=middle.pk, text=text)

    page = enter(company.ada, "/desk/")
    page.clock.pause_at(now() + timedelta(seconds=5))
    expect(page.locator("#rows > li:first-child")).to_contain_text("algo")
    assert _painted_over(page, "#rows > li:first-child", [".list-bar", "#rows > li:nth-child(2)"]) == []

    page.goto(f"/desk/conversations/{middle.pk}/")
    said = "#thread > li.msg:nth-of-type({})"
    expect(page.locator("#thread > li.msg")).to_have_count(4)
    page.evaluate("document.querySelectorAll('#thread > li.msg').forEach((one, at) => { one.dataset.at = at })")
    said = '#thread > li.msg[data-at="{}"] .b'
    assert _painted_over(page, said.format(2), [said.format(1), said.format(3)]) == []
    assert _painted_over(page, "#head h1", ["#scroll", ".nav"]) == []
    # The test can tell: without its own box the text does paint over the others.
    page.reload()
    page.evaluate("document.querySelectorAll('#thread > li.msg').forEach((one, at) => { one.dataset.at = at })")
    loose = f"{said.format(2)} {{ overflow: visible !important }}"
    page.evaluate(_STYLE, loose)
    assert _painted_over(page, said.format(2), [said.format(1)]) == [said.format(1)]


def test_turned_around_text_turns_nothing_else(enter: Enter, company: Company) -> None:
    Customer.objects.filter(pk=company.carol.pk).update(name=f"Carol {TURNED}")
    Organization.objects.filter(pk=company.carol.organization_id).update(name=f"Acme {TURNED}")
    files = (File(f"invoice {TURNED}", "application/pdf", b"%PDF-1.4"),)
    conversation = write(company.carol, now(), subject=f"Pay {TURNED}", text=f"Look at {TURNED}", files=files)
    page = enter(company.ada, "/desk/")

    opened = f"/desk/conversations/{conversation.pk}/"
    trouble, places = {}, 0
    for path in (
        "/desk/", opened, f"{opened}print/", f"{opened}merge/", f"{opened}split/", "/desk/search/?q=look",
        f"/desk/customers/{company.carol.pk}/", f"/desk/bulk/?c={conversation.pk}", "/desk/settings/customers/",
    ):  # fmt: skip
        page.goto(path)
        expect(page.locator("html:not(.no-js)")).to_be_attached()
        here, found = page.evaluate(_NOT_ISOLATED, TURNED)
        places += here
        if found:
            trouble[path] = found
    assert trouble == {}
    assert places > 15
