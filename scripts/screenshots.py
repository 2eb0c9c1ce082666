"""`make screenshots`: the pictures in docs/images, of the product as it is: started, written to by mail, worked in.

Needs Chromium (CHROMIUM names another one). Takes about two minutes; leaves nothing running.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
PORT, SMTP_PORT = 8791, 2791
BASE = f"http://127.0.0.1:{PORT}"
AGENTS = {"ada": "ada@demo.example", "grace": "grace@demo.example", "linus": "linus@demo.example"}

# Who writes to which mailbox, minutes ago, about what.
MAILS = [
    ("Carol Meyer <carol@acme.example>", "support", 12, "Checkout ends with error 500 since this morning",
     "Hello,\n\nsince the deployment this morning every second order on www.acme.example ends with an error 500.\n"
     "The log of c01-web1 says that the database refuses connections.\n\nCould you have a look?\n\nThanks, Carol"),
    ("Gil Ortega <gil@globex.example>", "hosting", 4, "Shop is down", "Our shop on c02 does not answer at all.\n\nGil"),
    ("Ivy Chen <ivy@initech.example>", "support", 26, "How do I add a second domain?",
     "Hi there,\n\nwe would like to use initech.example and initech.shop for one site. What must we do?\n\nIvy"),
    ("Uma Singh <uma@umbrella.example>", "backoffice", 41, "Invoice 2026-1183 was charged twice",
     "Dear team,\n\nthe invoice of November was charged twice. Please check.\n\nUma"),
    ("Lena Schmidt <lena@acme.example>", "support", 75, "Moving three WordPress sites",
     "Hello,\n\nwe would like to move three sites to you next week. Which day suits you?\n\nLena"),
    ("Pavel Toth <pavel@initech.example>", "info", 130, "How long are backups kept?",
     "Hello,\n\nhow long are backups kept, and can we restore a single table?\n\nPavel"),
    ("Elif Mert <elif@globex.example>", "hosting", 180, "Certificate of api.globex.example expires on Friday",
     "Hello,\n\nyour monitor says that it expires on Friday. Is it renewed by itself?\n\nElif"),
    ("Tomas Ivar <tomas@umbrella.example>", "support", 240, "API token does not work any more",
     "Hi,\n\nsince Monday every call answers 401. Nothing changed on our side.\n\nTomas"),
]  # fmt: skip


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="helpdesk-pictures-")
    environment = os.environ | {"DATA_DIR": folder, "PORT": str(PORT), "SMTP_PORT": str(SMTP_PORT)}
    try:
        with _running(environment):
            _write(environment)
            opened = _work(environment)
            with sync_playwright() as playwright:
                path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
                browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
                _shoot(browser, opened)
                browser.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(environment: dict[str, str]) -> Iterator[None]:
    command = [sys.executable, str(ROOT / "manage.py"), "up"]
    server = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        for line in server.stdout:
            if "is ready" in line:
                break
        else:
            raise SystemExit("The helpdesk did not start.")
        yield
    finally:
        server.terminate()
        server.wait(60)


def _manage(environment: dict[str, str], *arguments: str, given: str = "") -> str:
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    done = subprocess.run(command, env=environment, cwd=ROOT, input=given, text=True, check=True, capture_output=True)
    return done.stdout.strip()


def _write(environment: dict[str, str]) -> None:
    now = datetime.now(UTC)
    for number, (sender, mailbox, minutes, subject, text) in enumerate(MAILS):
        at = now - timedelta(minutes=minutes)
        mail = (
            f"From: {sender}\nTo: {mailbox}@demo.example\nSubject: {subject}\nDate: {at:%a, %d %b %Y %H:%M:%S +0000}\n"
            f"Message-ID: <picture-{number}@pictures.example>\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
        )
        _manage(environment, "receive_email", "--to", f"{mailbox}@demo.example", "--at", at.isoformat(), given=mail)


def _work(environment: dict[str, str]) -> int:
    """What the team has done so far; the number of the conversation to show."""
    tokens = {name: _manage(environment, "create_token", address) for name, address in AGENTS.items()}

    def call(who: str, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Token {tokens[who]}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{BASE}/api/v1/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    found: dict[str, int] = {}
    while len(found) < len(MAILS):
        found = {row["subject"]: row["id"] for row in call("ada", "GET", "conversations/")["results"]}
    shown = found[MAILS[0][3]]
    call("ada", "PATCH", f"conversations/{shown}/", {"assignee": AGENTS["ada"], "priority": "high", "tags": ["shop"]})
    note = "The connection pool of c01-db1 is full since the deployment at 8:40. I have told the people of Acme's shop."
    call("linus", "POST", f"conversations/{shown}/messages/", {"kind": "note", "text": note})
    reply = "Hello Carol,\n\nthank you for the log. The pool is being enlarged; I write again when orders pass.\n\nAda"
    call("ada", "POST", f"conversations/{shown}/messages/", {"kind": "outbound", "text": reply})
    call("ada", "PATCH", f"conversations/{shown}/", {"status": "open"})
    call("linus", "PATCH", f"conversations/{found[MAILS[6][3]]}/", {"assignee": AGENTS["linus"]})
    call("grace", "PATCH", f"conversations/{found[MAILS[7][3]]}/", {"assignee": AGENTS["grace"]})
    return shown


def _shoot(browser: Browser, conversation: int) -> None:
    desk = f"{BASE}/desk/"
    opened = f"{desk}conversations/{conversation}/"
    page = _logged_in(browser, 1440, 900, "light")
    for name, address in (
        ("inbox", desk),
        ("conversation", opened),
        ("search", f"{desk}search/?q=database"),
        ("on-call", f"{desk}on-call/"),
        ("reports", f"{desk}reports/"),
        ("settings", f"{desk}settings/"),
    ):
        _picture(page, address, name)
    page.close()
    dark = _logged_in(browser, 1440, 900, "dark")
    _picture(dark, opened, "conversation-dark")
    dark.close()
    phone = _logged_in(browser, 390, 844, "light")
    _picture(phone, desk, "phone-inbox")
    _picture(phone, opened, "phone-conversation")
    phone.close()


def _logged_in(browser: Browser, width: int, height: int, scheme: str) -> Page:
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{BASE}/desk/")
    page.fill("input[name=username]", AGENTS["ada"])
    page.fill("input[name=password]", "demo")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{BASE}/desk/", wait_until="load")
    return page


def _picture(page: Page, address: str, name: str) -> None:
    page.goto(address)
    page.locator("html.js").wait_for(state="attached")
    page.wait_for_load_state("load")
    page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
