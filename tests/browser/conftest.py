"""Chromium of the system, driven by Playwright. Without one the tests skip and say so, except with CI=true."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandlerMixin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from playwright.sync_api import Browser, Page, expect

from helpdesk.customers.models import User
from tests.fixtures.desk import logged_in
from tests.fixtures.site import Site

Enter = Callable[..., Page]
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        message = "no Chromium on this machine: install the package `chromium`, or name one in CHROMIUM"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    # Without a sandbox because root may run the tests; the pages are our own.
    return {**browser_type_launch_args, "executable_path": path, "args": ["--no-sandbox"]}


@pytest.fixture(scope="session", autouse=True)
def _patience() -> None:
    """What is awaited comes at once, but not while another browser has both cores."""
    expect.set_options(timeout=20_000)


@pytest.fixture(scope="session", autouse=True)
def _synchronous_database() -> Iterator[None]:
    """Playwright's loop runs in this thread until the session ends; Django would take it for a mistake of ours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture(autouse=True)
def _static_files_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in production, where names hold a digest: a page has about thirty, and each costs the server time."""
    plain = StaticFilesHandlerMixin.serve

    def serve(handler: StaticFilesHandlerMixin, request: HttpRequest) -> HttpResponseBase:
        response = plain(handler, request)
        response["Cache-Control"] = "max-age=600"
        return response

    monkeypatch.setattr(StaticFilesHandlerMixin, "serve", serve)


@pytest.fixture
def enter(browser: Browser, site: Site) -> Iterator[Enter]:
    """Opens a page of the whole site, sockets included, in a new browser of an agent: `enter(user, path, script="")`.

    The script runs in the page before all others.
    """
    contexts = []

    def entered(user: User, path: str, script: str = "") -> Page:
        context = browser.new_context(base_url=site.url)
        contexts.append(context)
        cookie = logged_in(user).cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": site.url}])
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.goto(path)
        return page

    yield entered
    for context in contexts:
        context.close()
