"""Many conversations at once: done one by one, told one by one, and taken back where nobody was there since."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils.timezone import now

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, CustomField, Message, Status
from helpdesk.customers.models import Service, Team, User
from helpdesk.events.actors import SYSTEM
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write, write_many
from tickets.desk import bulk
from tickets.desk.models import Macro
from tickets.models import BulkChange, BulkItem


def _post(user: User, *chosen: Conversation, **fields: Any) -> BulkChange:
    data = {"c": [one.pk for one in chosen], "client_id": uuid4(), **fields}
    answer = logged_in(user).post("/desk/bulk/", data)
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    return BulkChange.objects.get(pk=int(answer["Location"].split("/")[-2]))


def _outcomes(done: BulkChange) -> dict[int, str]:
    return dict(done.items.values_list("number", "outcome"))


def test_all_that_is_asked_for_is_done_to_each(company: Company, at: datetime) -> None:
    one, other = write_many(company.carol, at, 2)
    team = Team.objects.get(name="Hosting")
    conversations.change(one.pk, conversations.Changes(tags=["old", "vip"]), actor=SYSTEM, at=at)

    done = _post(
        company.grace, one, other, assignee="me", team=team.pk, priority="high", status="on_hold", add_tags="Sale, vip",
        remove_tags="old", snooze="tomorrow",
    )  # fmt: skip

    assert _outcomes(done) == {one.pk: "done", other.pk: "done"}
    for conversation, tags in ((one, {"sale", "vip"}), (other, {"sale", "vip"})):
        conversation.refresh_from_db()
        assert (conversation.assignee, conversation.team, conversation.priority) == (company.grace, team, "high")
        assert conversation.status == "on_hold" and conversation.snoozed_until is not None
        assert set(conversation.tags.values_list("name", flat=True)) >= tags
        assert not conversation.tags.filter(name="old").exists()


def test_what_is_the_same_already_is_told_so(company: Company, at: datetime) -> None:
    mine, free = write_many(company.carol, at, 2)
    conversations.change(mine.pk, conversations.Changes(assignee=company.ada), actor=SYSTEM, at=at)

    done = _post(company.ada, mine, free, assignee="me")

    assert _outcomes(done) == {mine.pk: "same", free.pk: "done"}


def test_each_reply_goes_out_once_with_the_customers_name_and_its_delivery_is_told(
    company: Company, at: datetime
) -> None:
    chosen = [write(company.carol, at), write(company.gil, at)]
    client_id = uuid4()
    text = "Hello {{ customer.first_name }}, it works again."

    first = _post(company.ada, *chosen, reply=text, then="resolved", client_id=client_id)
    again = _post(company.ada, *chosen, reply=text, then="resolved", client_id=client_id)

    assert first == again
    said = Message.objects.filter(kind="outbound", agent=company.ada)
    assert {m.text for m in said} == {"Hello Carol, it works again.", "Hello Gil, it works again."}
    assert {c.status for c in Conversation.objects.all()} == {Status.RESOLVED}
    browser = logged_in(company.ada)
    report = f"/desk/bulk/{first.pk}/"
    assert "Waiting to be sent" in browser.get(report).content.decode()
    Message.objects.filter(pk=said[0].pk).update(delivery="failed", error="No such mailbox")
    Message.objects.filter(pk=said[1].pk).update(delivery="sent")
    page = browser.get(report).content.decode()
    assert "No such mailbox" in page and "every 2s" not in page


def test_a_batch_that_was_cut_off_goes_on_where_it_stopped(company: Company, at: datetime) -> None:
    chosen = write_many(company.carol, at, 3)
    client_id = uuid4()
    asked = bulk.Asked(reply="Hello.")
    bulk.run(company.ada, [chosen[0].pk], asked, client_id=client_id, at=at)

    done = bulk.run(company.ada, [one.pk for one in chosen], asked, client_id=client_id, at=at)

    assert list(_outcomes(done).values()) == ["done"] * 3
    assert Message.objects.filter(kind="outbound").count() == 3


def test_one_that_cannot_be_changed_stops_no_other(company: Company, at: datetime) -> None:
    resolved, merged, free = write_many(company.carol, at, 3)
    conversations.change(resolved.pk, conversations.Changes(status="resolved"), actor=SYSTEM, at=at)
    Conversation.objects.filter(pk=merged.pk).update(merged_into=free)

    done = _post(company.ada, resolved, merged, free, snooze="tomorrow")

    assert _outcomes(done) == {resolved.pk: "skipped", merged.pk: "skipped", free.pk: "done"}
    page = logged_in(company.ada).get(f"/desk/bulk/{done.pk}/").content.decode()
    assert "cannot be snoozed" in page and f"It was merged into #{free.pk}" in page


def test_what_breaks_is_told_and_the_rest_is_done(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, whole = write_many(company.carol, at, 2)
    change = conversations.change

    def change_or_break(pk: int, *args: Any, **kwargs: Any) -> Conversation:
        if pk == broken.pk:
            raise RuntimeError("a bug")
        return change(pk, *args, **kwargs)

    monkeypatch.setattr(conversations, "change", change_or_break)

    done = _post(company.ada, broken, whole, priority="low", reply="Hello")

    assert _outcomes(done) == {broken.pk: "failed", whole.pk: "done"}
    assert not Message.objects.filter(conversation=broken, kind="outbound").exists()


def test_other_peoples_private_conversations_are_not_there(company: Company, at: datetime) -> None:
    team = Team.objects.get(name="Hosting")
    team.is_private = True
    team.save()
    team.members.set([company.linus])
    secret, free = write(company.carol, at, team_id=team.pk, subject="Secret"), write(company.gil, at)

    done = _post(company.grace, secret, free, priority="urgent")

    assert _outcomes(done) == {secret.pk: "skipped", free.pk: "done"}
    secret.refresh_from_db()
    assert secret.priority == "normal"
    browser = logged_in(company.grace)
    assert "Secret" not in browser.get(f"/desk/bulk/{done.pk}/").content.decode()
    assert "Secret" not in browser.get(f"/desk/bulk/?c={secret.pk}").content.decode()
    answer = browser.post("/desk/bulk/", {"c": [free.pk], "client_id": uuid4(), "team": team.pk})
    assert answer.status_code == 422


def test_a_report_is_for_whoever_did_it(company: Company, at: datetime) -> None:
    done = _post(company.grace, write(company.carol, at), priority="low")

    for path in (f"/desk/bulk/{done.pk}/", f"/desk/bulk/{done.pk}/undo/"):
        browser = logged_in(company.ada)
        assert (browser.post(path) if path.endswith("undo/") else browser.get(path)).status_code == 404


def test_a_viewer_changes_nothing(company: Company, at: datetime) -> None:
    company.linus.role = User.Role.VIEWER
    company.linus.save()
    conversation = write(company.carol, at)

    answer = logged_in(company.linus).post(
        "/desk/bulk/", {"c": [conversation.pk], "client_id": uuid4(), "priority": "low"}
    )

    assert answer.status_code == 403
    assert not BulkChange.objects.exists()


def test_not_more_than_so_many_at_once(company: Company, at: datetime) -> None:
    numbers = list(range(1, bulk.MOST + 2))

    answer = logged_in(company.ada).post("/desk/bulk/", {"c": numbers, "client_id": uuid4(), "priority": "low"})

    assert answer.status_code == 422
    with pytest.raises(bulk.TooMany):
        bulk.run(company.ada, numbers, bulk.Asked(reply="x"), client_id=uuid4(), at=at)
    assert not BulkChange.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"assignee": "99999"},
        {"assignee": "9" * 20},
        {"team": "x"},
        {"priority": "higher"},
        {"status": "new"},
        {"snooze": "never"},
        {"snooze_at": "2020-01-01T00:00"},
        {"reply": "Hello {{ customer.password }}"},
        {"client_id": "1"},
    ],
)
def test_nonsense_is_said_to_be_nonsense(fields: dict[str, str], company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)

    answer = logged_in(company.ada).post("/desk/bulk/", {"c": [conversation.pk], "client_id": uuid4(), **fields})

    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not BulkItem.objects.exists()


def test_without_a_script_the_list_leads_to_the_form(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at, subject="Ticked")
    browser = logged_in(company.ada)

    page = browser.post("/desk/bulk/", {"c": [conversation.pk], "client_id": uuid4(), "focus": ""}).content.decode()

    assert "<html" in page and "Ticked" in page and 'name="reply"' in page
    part = browser.get(f"/desk/bulk/?c={conversation.pk}", headers={"HX-Target": "layer-body"}).content.decode()
    assert "<html" not in part and 'name="reply"' in part
    assert "Nothing is selected" in browser.get("/desk/bulk/").content.decode()


@pytest.mark.parametrize(
    "fields",
    [
        {"assignee": "me"},
        {"status": "resolved"},
        {"spam": "yes"},
        {"priority": "urgent", "add_tags": "vip", "remove_tags": "old"},
        {"snooze": "tomorrow", "status": "pending"},
    ],
)
def test_undo_puts_back_what_was(fields: dict[str, str], company: Company, at: datetime) -> None:
    new, held = write_many(company.carol, at, 2)
    changes = conversations.Changes(status="on_hold", tags=["old"], assignee=company.linus)
    conversations.change(held.pk, changes, actor=SYSTEM, at=at)

    def state() -> list[Any]:
        columns = ("status", "priority", "assignee_id", "team_id", "is_spam", "snoozed_until")
        rows = Conversation.objects.order_by("pk")
        return [(*(getattr(c, name) for name in columns), sorted(c.tags.values_list("name", flat=True))) for c in rows]

    before = state()
    done = _post(company.ada, new, held, **fields)
    assert state() != before

    answer = logged_in(company.ada).post(f"/desk/bulk/{done.pk}/undo/")

    assert answer.status_code == 302
    assert state() == before
    assert bulk.summary(done)["undone"] == 2


def test_undo_takes_back_nothing_that_somebody_changed_since(company: Company, at: datetime) -> None:
    one, other = write_many(company.carol, at, 2)
    done = _post(company.ada, one, other, priority="high")
    conversations.change(one.pk, conversations.Changes(priority="urgent"), actor=SYSTEM, at=now())

    logged_in(company.ada).post(f"/desk/bulk/{done.pk}/undo/")

    assert [c.priority for c in Conversation.objects.order_by("pk")] == ["urgent", "normal"]
    assert "Somebody has changed it since" in logged_in(company.ada).get(f"/desk/bulk/{done.pk}/").content.decode()


def test_undo_ends_after_ten_minutes_and_works_once(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)
    asked = bulk.Asked(conversations.Changes(priority="high"))
    done = bulk.run(company.ada, [conversation.pk], asked, client_id=uuid4(), at=at)

    with pytest.raises(bulk.TooLate):
        bulk.undo(done, company.ada, at=at + bulk.UNDO_FOR)
    bulk.undo(done, company.ada, at=at + timedelta(minutes=9))
    with pytest.raises(bulk.TooLate):
        bulk.undo(done, company.ada, at=at + timedelta(minutes=9))
    conversation.refresh_from_db()
    assert conversation.priority == "normal"


def test_the_page_is_told_in_one_line_with_the_way_back(company: Company, at: datetime) -> None:
    conversation = write(company.carol, at)
    browser = logged_in(company.ada)
    data = {"c": [conversation.pk], "client_id": uuid4(), "priority": "low"}

    line = browser.post("/desk/bulk/", data, headers={"HX-Request": "true"}).content.decode()

    done = BulkChange.objects.get()
    assert f'action="/desk/bulk/{done.pk}/undo/"' in line and "One done" in line
    line = browser.post(f"/desk/bulk/{done.pk}/undo/", headers={"HX-Request": "true"}).content.decode()
    assert "One taken back" in line and "undo/" not in line


def _macro(name: str = "Outage", **more: Any) -> Macro:
    actions = [
        {"do": "reply", "value": "Hello {{ customer.first_name|there }}, it is back."},
        {"do": "add_tags", "value": ["outage"]},
        {"do": "set_priority", "value": "low"},
    ]
    return Macro.objects.create(**{"name": name, "actions": actions, "updated_at": now(), **more})


def test_a_macro_is_shown_and_applied_to_each_and_its_changes_are_taken_back(company: Company, at: datetime) -> None:
    one, other = write_many(company.carol, at, 2)
    macro = _macro()
    form = logged_in(company.grace).get("/desk/bulk/", {"c": one.pk}).content.decode()
    assert f'name="macro" value="{macro.pk}"' in form
    assert "Hello {{ customer.first_name|there }}, it is back." in form and "Adds the tags outage" in form

    done = _post(company.grace, one, other, macro=macro.pk, team=Team.objects.get(name="Hosting").pk)

    assert _outcomes(done) == {one.pk: "done", other.pk: "done"} and done.asked["macro"] == "Outage"
    for item in done.items.all():
        assert item.message is not None and item.message.text == "Hello Carol, it is back."
        assert item.conversation is not None and item.conversation.status == "pending"
        assert item.conversation.tags.filter(name="outage").exists()
        assert set(item.before) == {"tags", "priority", "team"}
    page = logged_in(company.grace).get(f"/desk/bulk/{done.pk}/").content.decode()
    assert "<dt>Macro</dt><dd>Outage</dd>" in page and "Waiting to be sent" in page

    logged_in(company.grace).post(f"/desk/bulk/{done.pk}/undo/")

    for item in done.items.all():
        assert item.undone == bulk.TAKEN_BACK and item.conversation is not None
        assert (item.conversation.priority, item.conversation.team) == ("normal", None)
        assert not item.conversation.tags.filter(name="outage").exists()
        # The answer went out, and waiting for the customer goes with it.
        assert item.conversation.status == "pending" and item.conversation.messages.count() == 2


def test_what_a_macro_sets_besides_is_taken_back(company: Company, at: datetime) -> None:
    (one,) = write_many(company.carol, at, 1)
    CustomField.objects.create(key="cause", name="Cause", kind="text")
    service = Service.objects.create(name="web9.acme.example", kind="website")
    actions = [
        {"do": "set_custom", "value": {"cause": "disk"}},
        {"do": "add_services", "value": [service.pk]},
        {"do": "close", "value": None},
    ]
    done = _post(company.grace, one, macro=_macro(actions=actions).pk)
    one.refresh_from_db()
    assert one.status == "closed" and one.custom == {"cause": "disk"} and service in one.services.all()

    bulk.undo(done, company.grace, at=now())

    one.refresh_from_db()
    assert one.status == "new" and one.custom == {} and service not in one.services.all()


def test_a_macro_that_cannot_be_done_stops_none_of_the_others(company: Company, at: datetime) -> None:
    done_already, other = write_many(company.carol, at, 2)
    conversations.change(done_already.pk, conversations.Changes(status="resolved"), actor=SYSTEM, at=at)

    done = _post(company.grace, done_already, other, macro=_macro(actions=[{"do": "snooze", "value": 3}]).pk)

    assert _outcomes(done) == {done_already.pk: "skipped", other.pk: "done"}


def test_macros_of_others_are_neither_shown_nor_applied(company: Company, at: datetime) -> None:
    (one,) = write_many(company.carol, at, 1)
    theirs = _macro("Mine alone", owner=company.linus)
    client = logged_in(company.grace)

    assert "Mine alone" not in client.get("/desk/bulk/", {"c": one.pk}).content.decode()
    for macro in (theirs.pk, 2**62, "x"):
        answer = client.post("/desk/bulk/", {"c": one.pk, "client_id": uuid4(), "macro": macro})
        assert answer.status_code == 422 and not BulkChange.objects.exists()
