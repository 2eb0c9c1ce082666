"""What comes in between in a real browser: a push message, a sound, a new version of the desk, a login that ran out."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.utils.timezone import now
from playwright.sync_api import Route, expect

from helpdesk import static_files
from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Message
from helpdesk.events.actors import Actor
from tests.browser.conftest import Enter
from tests.fixtures.company import Company
from tests.fixtures.desk import write
from tickets.desk.models import Draft, PushSubscription

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# A push service cannot be reached from a test: the browser says where one would be.
_NO_PUSH_SERVICE = """PushManager.prototype.subscribe = async () => ({
  endpoint: "https://push.example/1",
  keys: {
    p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    auth: "BTBZMqHH6r4Tts7J_aSIgg",
  },
});"""
# What cannot be seen is noted at the page's root, where it can be waited for. Without a window Chromium lets every page
# sound: here it waits for a touch, as it does on a screen.
_HEARD = """window.AudioContext = class extends AudioContext {
  #isAllowed = false;
  get state() { return this.#isAllowed ? super.state : "suspended"; }
  async resume() { this.#isAllowed ||= navigator.userActivation.hasBeenActive; return super.resume(); }
  createOscillator() { document.documentElement.dataset.heard = this.state; return super.createOscillator(); }
};"""
_KEPT_SOCKET = """window.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    window.last = this;
    this.addEventListener("message", ({ data }) => {
      if (JSON.parse(data).t === "welcome") document.documentElement.dataset.live = "yes";
    });
  }
};"""
# What is shown, once it is what was expected or the patience is over.
_NOTIFICATIONS = """async expected => {
  const registration = await navigator.serviceWorker.ready;
  for (let patience = 0; ; patience++) {
    const shown = await registration.getNotifications();
    const found = shown.map(({ title, body, data }) => [title, body, data.url]).sort();
    if (patience === 100 || JSON.stringify(found) === JSON.stringify(expected)) return found;
    await new Promise(done => setTimeout(done, 50));
  }
}"""


def test_a_browser_is_woken_by_push(enter: Enter, company: Company) -> None:
    page = enter(company.ada, "/desk/notifications/", _NO_PUSH_SERVICE)
    page.context.grant_permissions(["notifications"])
    devtools = page.context.new_cdp_session(page)
    registrations: dict[str, Any] = {}
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: registrations.update({one["scopeURL"]: one["registrationId"] for one in told["registrations"]}),
    )
    devtools.send("ServiceWorker.enable")
    page.get_by_role("button", name="Wake this browser").click()
    expect(page.get_by_role("button", name="Forget")).to_be_visible()
    assert PushSubscription.objects.get().user == company.ada

    origin = page.evaluate("location.origin")
    push = {"origin": origin, "registrationId": registrations[f"{origin}/desk/"]}

    def wake(data: str, *expected: list[str]) -> None:
        devtools.send("ServiceWorker.deliverPushMessage", {**push, "data": data})
        assert page.evaluate(_NOTIFICATIONS, list(expected)) == list(expected)

    told, where = '{"title": "Carol Meyer", "text": "%s", "tag": "c7", "url": "/desk/7/"}', "/desk/7/"
    wake(told % "It is broken.", ["Carol Meyer", "It is broken.", where])
    # Of the same tag: in the first one's place.
    wake(told % "Still.", ["Carol Meyer", "Still.", where])
    wake("no JSON", ["Carol Meyer", "Still.", where], ["Helpdesk", "", "/desk/"])


def test_a_sound_waits_for_a_touch(enter: Enter, company: Company) -> None:
    mine = write(company.carol, now())
    conversations.change(mine.pk, conversations.Changes(assignee=company.ada), actor=Actor.agent(company.ada), at=now())
    page = enter(company.ada, "/desk/", _HEARD + _KEPT_SOCKET)
    expect(page.locator("html[data-live]")).to_be_attached()
    write(company.carol, now(), conversation_id=mine.pk, text="Are you there?")
    expect(page.locator("#told")).to_contain_text("Carol Meyer")
    chip = page.get_by_role("button", name="Turn on sound")
    expect(chip).to_be_visible()
    expect(page.locator("html[data-heard]")).to_have_count(0)

    chip.click()
    expect(chip).to_be_hidden()
    write(company.carol, now(), conversation_id=mine.pk, text="Hello?")
    expect(page.locator("html[data-heard=running]")).to_be_attached()


def test_a_new_version_is_offered_and_what_is_typed_stays(
    enter: Enter, company: Company, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    def serve(version: str) -> None:
        monkeypatch.setattr(static_files, "staticfiles_storage", SimpleNamespace(manifest_hash=version))
        static_files.build.cache_clear()

    request.addfinalizer(static_files.build.cache_clear)
    serve("one")
    conversation = write(company.carol, now())
    page = enter(company.ada, f"/desk/conversations/{conversation.pk}/", _KEPT_SOCKET)
    text, chip = page.get_by_label("Message", exact=True), page.get_by_role("button", name="New version: reload")
    expect(page.locator("html[data-live]")).to_be_attached()
    text.fill("Half a thought")
    expect(page.locator("#saved")).to_have_text("Draft saved")
    expect(chip).to_be_hidden()

    serve("two")
    page.evaluate("last.close()")
    expect(chip).to_be_visible()
    text.press_sequentially(", and more")
    with page.expect_navigation():
        chip.click()
    expect(text).to_have_value("Half a thought, and more")
    expect(page.locator("html[data-live]")).to_be_attached()
    expect(chip).to_be_hidden()


def test_what_is_typed_before_the_scripts_are_there_is_a_draft_too(enter: Enter, company: Company) -> None:
    conversation = write(company.carol, now())
    page = enter(company.ada, "/desk/notifications/")
    held: list[Route] = []
    page.route("**/js/composer*.js", lambda route: held.append(route))
    with page.expect_request("**/js/composer*.js"):
        page.goto(f"/desk/conversations/{conversation.pk}/", wait_until="domcontentloaded")
    page.get_by_label("Message", exact=True).fill("Quick as a flash")

    held[0].continue_()

    expect(page.locator("#saved")).to_have_text("Draft saved")
    assert Draft.objects.get(conversation=conversation).text == "Quick as a flash"


def test_a_reply_survives_a_login_that_ran_out_and_leaves_once(enter: Enter, company: Company) -> None:
    conversation = write(company.carol, now())
    page = enter(company.ada, f"/desk/conversations/{conversation.pk}/")
    text = page.get_by_label("Message", exact=True)
    text.fill("An hour of work")
    expect(page.locator("#saved")).to_have_text("Draft saved")
    page.context.clear_cookies(name="sessionid")
    text.press_sequentially(", and its end.")
    text.press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("You are logged out. What you typed is kept")

    other = page.context.new_page()
    other.goto("/desk/login/")
    other.get_by_label("E-mail").fill("ada@demo.example")
    other.get_by_label("Password").fill("demo")
    other.keyboard.press("Enter")
    expect(other.get_by_role("heading", name="Needs reply")).to_be_visible()
    expect(text).to_have_value("An hour of work, and its end.")
    text.press("Control+Enter")

    expect(page.locator(".msg.out")).to_contain_text("An hour of work, and its end.")
    expect(text).to_have_value("")
    assert Message.objects.filter(kind="outbound").count() == 1
