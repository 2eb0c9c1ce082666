"""Two agents on one ticket, each in their own browser: they see each other and each other's work, live."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.timezone import now
from playwright.sync_api import expect

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import answers, splitting
from helpdesk.conversations.models import Status
from helpdesk.embedded.valkey import start_valkey, stop_valkey
from helpdesk.events.actors import Actor
from tests.browser.conftest import Enter
from tests.fixtures.company import Company
from tests.fixtures.desk import write

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Whose Valkey may be stopped: it runs again afterwards."""
    folder = Path(settings.DATA_DIR)
    yield folder
    start_valkey(folder)


def test_two_agents_see_each_other_through_a_restart_of_valkey(enter: Enter, company: Company, data_dir: Path) -> None:
    conversation = write(company.carol, now())
    address = f"/desk/conversations/{conversation.pk}/"
    ada, grace = enter(company.ada, address), enter(company.grace, address)

    expect(ada.locator("#here")).to_have_text("Grace Hopper is viewing")
    expect(grace.locator("#here")).to_have_text("Ada Lovelace is viewing")
    grace.locator("[data-composer] textarea").first.press_sequentially("Hello Carol")
    expect(ada.locator("#replying")).to_have_text("Grace Hopper is replying")
    conversations.note(conversation.pk, company.grace, "I am on it.", at=now())
    expect(ada.locator(".msg.note")).to_contain_text("I am on it.")

    stop_valkey(data_dir)
    conversations.note(conversation.pk, company.ada, "While it was down.", at=now())
    expect(grace.locator("#thread")).to_contain_text("While it was down.", timeout=15_000)
    start_valkey(data_dir)
    conversations.note(conversation.pk, company.ada, "And afterwards.", at=now())
    expect(grace.locator("#thread")).to_contain_text("And afterwards.", timeout=15_000)

    expect(grace.locator("[data-composer] textarea").first).to_have_value("Hello Carol")
    expect(ada.locator(".msg.note")).to_have_count(3)


def test_a_list_follows_without_moving_what_is_under_the_pointer(enter: Enter, company: Company) -> None:
    first, second = write(company.carol, now(), subject="First"), write(company.gil, now(), subject="Second")
    ada = enter(company.ada, "/desk/")
    row = ada.locator(f"#c{second.pk}")
    row.hover()
    expect(ada.locator("#list-count")).to_have_text("2")
    order = ada.locator("#rows li.item").evaluate_all("rows => rows.map((row) => row.id)")

    changed = conversations.Changes(priority="urgent", assignee=company.grace)
    conversations.change(second.pk, changed, actor=Actor.agent(company.grace), at=now())
    expect(row).to_contain_text("Grace Hopper")
    expect(row).to_contain_text("Urgent")
    conversations.change(
        first.pk, conversations.Changes(status=Status.RESOLVED), actor=Actor.agent(company.grace), at=now()
    )
    expect(ada.locator(f"#c{first.pk}")).to_contain_text("Resolved")
    expect(ada.locator("#list-count")).to_have_text("1")
    expect(ada.locator('#views [data-count="reply"]').first).to_have_text("1")

    expect(ada.locator("#show-news")).to_be_visible()
    assert ada.locator("#rows li.item").evaluate_all("rows => rows.map((row) => row.id)") == order
    ada.mouse.move(5, 5)
    expect(ada.locator(f"#c{first.pk}")).to_have_count(0, timeout=15_000)


def test_a_thread_grows_and_what_stands_in_it_stays(enter: Enter, company: Company) -> None:
    conversation = write(company.carol, now())
    ada = enter(company.ada, f"/desk/conversations/{conversation.pk}/")
    expect(ada.locator("#rows li.item")).to_have_count(1)
    first = ada.locator(".msg").first
    first.evaluate("message => { message.isTheSame = true; }")

    for number in range(3):
        conversations.note(conversation.pk, company.grace, f"Note {number}.", at=now())
    expect(ada.locator(".msg.note")).to_have_count(3)
    conversations.change(
        conversation.pk, conversations.Changes(priority="high"), actor=Actor.agent(company.grace), at=now()
    )
    expect(ada.locator("#head")).to_contain_text("High")
    expect(ada.locator("#thread .sys").last).to_contain_text("Grace Hopper: priority")

    assert first.evaluate("message => message.isTheSame")
    reply = conversations.reply(conversation.pk, company.grace, "Another matter.", at=now())
    answers.deliver(reply.pk, at=now())
    expect(ada.locator(f"#m{reply.pk}")).to_contain_text("Sent")
    splitting.split(conversation.pk, [reply.pk], company.grace, at=now())
    expect(ada.locator(f"#m{reply.pk}")).to_have_count(0)
    expect(ada.locator("#thread .sys").last).to_contain_text("split off")
    for priority in ("low", "urgent", "normal"):
        changes = conversations.Changes(priority=priority)
        conversations.change(conversation.pk, changes, actor=Actor.agent(company.grace), at=now())
    # What follows each other is one line, here as on a page that is drawn anew; and it opens.
    expect(ada.locator("#thread > .fold > details > ol > li").last).to_contain_text("Urgent → Normal")
    expect(ada.locator("#thread > li").last).to_contain_text("changes")
    texts = ada.locator("#thread > li").all_inner_texts()
    ada.reload()
    assert ada.locator("#thread > li").all_inner_texts() == texts
    expect(ada.locator("#thread > .fold ol > li").last).to_be_hidden()
    ada.locator("#thread > .fold summary").last.click()
    expect(ada.locator("#thread > .fold ol > li").last).to_be_visible()


def test_a_list_follows_at_once(enter: Enter, company: Company) -> None:
    """What comes and goes is told, not asked for: the list is not read again."""
    first, second = write(company.carol, now(), subject="First"), write(company.carol, now(), subject="Second")
    ada = enter(company.ada, "/desk/")
    expect(ada.locator("#rows li.item")).to_have_count(2)
    expect(ada.locator("html.js")).to_have_count(1)
    by, shown = Actor.agent(company.grace), ada.locator("#rows li.item .s")
    third = write(company.carol, now(), subject="Third")
    expect(shown).to_have_text(["First", "Second", "Third"])
    # It has said what it shows: from here on nothing is asked for.
    ada.route("**/desk/rows/*", lambda route: route.fulfill(status=204))

    last = write(company.carol, now(), subject="Last")
    expect(shown).to_have_text(["First", "Second", "Third", "Last"])
    conversations.change(second.pk, conversations.Changes(status=Status.RESOLVED), actor=by, at=now())
    expect(shown).to_have_text(["First", "Third", "Last"])
    conversations.change(third.pk, conversations.Changes(priority="urgent"), actor=by, at=now())
    expect(shown).to_have_text(["Third", "First", "Last"])
    ada.locator(f"#c{first.pk}").hover()
    conversations.change(third.pk, conversations.Changes(status=Status.RESOLVED), actor=by, at=now())
    expect(ada.locator(f"#c{third.pk}")).to_contain_text("Resolved")
    expect(ada.locator("#show-news")).to_be_visible()
    expect(shown).to_have_text(["Third", "First", "Last"])
    ada.mouse.move(5, 5)
    expect(shown).to_have_text(["First", "Last"])
    expect(ada.locator("#show-news")).to_be_hidden()
    ada.unroute("**/desk/rows/*")

    for one in (first, last):
        conversations.change(one.pk, conversations.Changes(status=Status.RESOLVED), actor=by, at=now())
    expect(ada.locator("#rows .empty")).to_be_visible()
    write(company.carol, now(), subject="Fourth")
    expect(shown).to_have_text(["Fourth"])
    expect(ada.locator("#rows .empty")).to_have_count(0)
