"""paint: from a key to the next picture, in Chromium, by the Event Timing API.

https://www.w3.org/TR/event-timing/: `duration` reaches from the input to the next paint, in steps of 8 ms; what took
less than 16 ms is not reported and counts as 16. Wall time on a machine that others use is no test's business.
"""

import os
import shutil
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import Page, sync_playwright

from bench import ground, volume
from bench.children import answers, child, free_port, wait_until
from bench.meters import Meter
from bench.rounds import Figure, Row, percentile
from bench.sizes import Sizes
from helpdesk.customers.models import User

AIM_MS = 100.0
SHORTEST_MS = 16.0
_WATCH = """window.slow = [];
new PerformanceObserver(list => window.slow.push(...list.getEntries().map(one => [one.startTime, one.duration])))
  .observe({ type: "event", durationThreshold: 16, buffered: true });"""
# The picture after the key is painted, and the observer is told, within two frames and a task.
_SETTLED = """since => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() =>
  done(Math.max(16, ...window.slow.filter(([start]) => start >= since).map(([, duration]) => duration))), 60))))"""


def run(sizes: Sizes) -> Iterator[Row]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        yield Row("paint, no Chromium here", "ms", {})
        return
    connection.close()
    ground.fresh()
    volume.grow(sizes.of(10_000, 1_000), messages=5)
    client = Client()
    client.force_login(User.objects.get(email="ada@demo.example"))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    connection.close()
    port = free_port()
    serving = ["-m", "uvicorn", "helpdesk.asgi:application", "--host", "127.0.0.1", "--port", str(port)]
    with child([*serving, "--lifespan", "off", "--log-level", "error"]) as server, sync_playwright() as playwright:
        alive = b"GET /healthz/live HTTP/1.0\r\nHost: localhost\r\n\r\n"
        wait_until(lambda: answers(port, alive, rb"HTTP/1\.[01] 200"), "the server's start")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        url = f"http://127.0.0.1:{port}"
        context = browser.new_context(base_url=url, viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": url}])
        context.add_init_script(_WATCH)
        page = context.new_page()
        page.goto("/desk/")
        page.locator("html.js #rows a.row").nth(20).wait_for()
        for name, press in _PARTS.items():
            meter = Meter((server.pid,))
            values = list(press(page, sizes.of(40, 15)))
            use = meter.stop()
            each = 1000 / len(values)
            figure = Figure(
                percentile(values, 0.5), (min(values), max(values)), percentile(values, 0.95),
                use.application * each, use.database * each, use.foreign,
            )  # fmt: skip
            remark = f"the longest {max(values):.0f} ms of {len(values)}"
            yield Row(f"paint, {name}", "ms", {"ours": figure}, AIM_MS, remark, aims_p95=True)
        browser.close()


def _press(page: Page, *keys: str) -> Iterator[float]:
    """Milliseconds from each key to the picture after it."""
    for key in keys:
        since: float = page.evaluate("performance.now()")
        page.keyboard.press(key)
        yield float(page.evaluate(_SETTLED, since))


def _walk(page: Page, times: int) -> Iterator[float]:
    page.locator("#list").focus()
    yield from _press(page, *("j" if number % 4 else "k" for number in range(times)))


def _open(page: Page, times: int) -> Iterator[float]:
    """Enter on a row, then on to the next: the picture is the key's answer, the conversation follows."""
    yield from _press(page, "Enter")
    page.locator("#thread .msg").first.wait_for()
    for _ in range(times // 2):
        before = page.url
        yield from _press(page, "]")
        page.wait_for_url(lambda url, before=before: url != before)  # type: ignore[misc]  # a default in a lambda
        page.locator("#thread .msg").first.wait_for()


def _write(page: Page, times: int) -> Iterator[float]:
    yield from _press(page, "r")
    words = "Thank you for your patience; it works again. "
    yield from _press(page, *(words[number % len(words)] for number in range(times)))


def _palette(page: Page, times: int) -> Iterator[float]:
    for _ in range(max(times // 10, 1)):
        yield from _press(page, "Control+k", *"carol", "ArrowDown", "ArrowUp", "Escape")


_PARTS: dict[str, Callable[[Page, int], Iterator[float]]] = {
    "up and down the list": _walk,
    "opening": _open,
    "typing a reply": _write,
    "palette": _palette,
}
