"""What agents do on the desk, by API: checklists, time, followers, drafts, forwarding, many at once, search, views."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import File
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Team, User
from tests.api.conftest import Caller
from tests.fixtures.company import Company
from tests.fixtures.desk import write
from tickets.desk.bulk_models import BulkItem
from tickets.desk.models import CannedReply, Mention, NotificationChoice, SavedView
from tickets.models import MailHeader

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(conversation: Conversation) -> str:
    return f"/conversations/{conversation.pk}"


def test_a_checklist(grace: Caller, company: Company, path: str) -> None:
    first, second = (grace("post", f"{path}/checklist/", {"text": text}).json() for text in ("Look", "Answer"))
    assert (first["text"], first["done_at"], second["position"]) == ("Look", None, 1)

    done = grace("patch", f"{path}/checklist/{first['id']}/", {"is_done": True}).json()
    assert done["done_by"] == company.grace.pk and done["done_at"]
    assert grace("patch", f"{path}/checklist/{first['id']}/", {"is_done": False}).json()["done_at"] is None
    assert grace("delete", f"{path}/checklist/{second['id']}/").status_code == 204
    assert [item["id"] for item in grace("get", f"{path}/checklist/").json()] == [first["id"]]
    assert grace("delete", f"{path}/checklist/{second['id']}/").status_code == 404
    assert grace("post", f"{path}/checklist/", {"text": " "}).status_code == 400


def test_parts_of_another_conversation_are_missing(grace: Caller, company: Company, path: str, at: datetime) -> None:
    other = f"/conversations/{write(company.gil, at).pk}"
    item = grace("post", f"{other}/checklist/", {"text": "x"}).json()["id"]
    entry = grace("post", f"{other}/time-entries/", {"minutes": 1}).json()["id"]
    message = Message.objects.order_by("-pk")[0].pk
    grace("post", f"{other}/followers/", {"emails": [company.uma.email]})

    for method, part, body in (
        ("patch", f"checklist/{item}/", {"is_done": True}),
        ("delete", f"checklist/{item}/", None),
        ("delete", f"time-entries/{entry}/", None),
        ("delete", f"followers/{company.uma.pk}/", None),
        ("post", f"messages/{message}/retry/", None),
        ("post", f"messages/{message}/taking-back/", None),
        ("post", "forwards/", {"message": message, "to": ["x@b.example"], "text": "x"}),
    ):
        assert grace(method, f"{path}/{part}", body).status_code == 404, part


def test_time(grace: Caller, path: str) -> None:
    entry = grace("post", f"{path}/time-entries/", {"minutes": 25, "note": "Logs"}).json()
    grace("post", f"{path}/time-entries/", {"minutes": 5})
    assert grace("get", f"{path}/").json()["minutes_spent"] == 30
    assert [one["note"] for one in grace("get", f"{path}/time-entries/").json()] == ["Logs", ""]
    assert grace("delete", f"{path}/time-entries/{entry['id']}/").status_code == 204
    assert grace("get", f"{path}/").json()["minutes_spent"] == 5
    for minutes in (0, -1, 24 * 60 + 1, "many"):
        assert grace("post", f"{path}/time-entries/", {"minutes": minutes}).status_code == 400


def test_followers(grace: Caller, company: Company, path: str) -> None:
    emails = ["New@Acme.example", company.uma.email, company.carol.email]
    followers = grace("post", f"{path}/followers/", {"emails": emails}).json()
    assert sorted(one["email"] for one in followers) == sorted(["new@acme.example", company.uma.email])
    assert grace("post", f"{path}/followers/", {"emails": ["nobody"]}).status_code == 400
    assert grace("delete", f"{path}/followers/{company.uma.pk}/").status_code == 204
    assert [one["email"] for one in grace("get", f"{path}/followers/").json()] == ["new@acme.example"]


def test_a_draft_is_ones_own(grace: Caller, ada: Caller, path: str) -> None:
    assert grace("get", f"{path}/draft/").status_code == 404
    kept = grace("put", f"{path}/draft/", {"kind": "note", "text": " Half "}).json()
    assert (kept["kind"], kept["text"], kept["version"]) == ("note", " Half ", 1)
    assert grace("put", f"{path}/draft/", {"text": "Whole"}).json()["version"] == 2
    assert ada("get", f"{path}/draft/").status_code == 404
    assert grace("put", f"{path}/draft/", {"text": ""}).status_code == 400
    assert grace("delete", f"{path}/draft/").status_code == 204
    assert grace("get", f"{path}/draft/").status_code == 404


def test_a_note_calls_agents(
    grace: Caller, ada: Caller, company: Company, path: str, conversation: Conversation
) -> None:
    said = {"kind": "note", "text": f"@{company.ada.name} please look", "client_id": str(uuid4())}
    message = grace("post", f"{path}/messages/", said).json()["id"]
    grace("post", f"{path}/messages/", said)

    (called,) = ada("get", "/mentions/").json()["results"]
    assert (called["message"], called["by"], called["seen_at"]) == (message, company.grace.pk, None)
    assert ada("get", "/mentions/", seen_at__isnull="false").json()["results"] == []
    assert ada("post", f"{path}/mentions-seen/").status_code == 204
    assert ada("get", "/mentions/", seen_at__isnull="true").json()["results"] == []
    assert grace("get", "/mentions/").json()["results"] == []

    Team.objects.create(name="Board", is_private=True)
    Conversation.objects.filter(pk=conversation.pk).update(team=Team.objects.get(name="Board"))
    User.objects.filter(pk=company.ada.pk).update(role=User.Role.AGENT)
    assert Mention.objects.exists() and ada("get", "/mentions/").json()["results"] == []


def test_forwarding(grace: Caller, company: Company, at: datetime) -> None:
    here = write(company.carol, at, files=(File("log.txt", "text/plain", b"x"), File("b.txt", "text/plain", b"y")))
    message = here.messages.get()
    file = message.attachments.get(name="log.txt")
    body = {"message": message.pk, "to": ["NOC@b.example"], "text": "Look", "attachments": [file.pk]}
    address = f"/conversations/{here.pk}/forwards/"

    sent = grace("post", address, body)

    assert sent.status_code == 201 and [one["name"] for one in sent.json()["attachments"]] == ["log.txt"]
    assert MailHeader.objects.get(message=sent.json()["id"]).to == ["noc@b.example"]
    note = conversations.note(here.pk, company.ada, "Between us", at=at)
    wrong: tuple[dict[str, Any], ...] = (
        {"message": note.pk, "attachments": []},
        {"to": []},
        {"to": ["x"]},
        {"to": ["support@demo.example"]},
        {"attachments": [file.pk + 9]},
        {"text": "", "attachments": []},
    )
    for part in wrong:
        assert grace("post", address, body | part).status_code == 400, part


def test_a_canned_reply_filled_in(grace: Caller, company: Company, path: str, at: datetime) -> None:
    texts = {"name": "Hello", "text": "Hello {{ customer.name }}", "updated_at": at}
    mine = CannedReply.objects.create(shortcut="a", owner=company.grace, **texts)
    others = CannedReply.objects.create(shortcut="b", owner=company.ada, **texts)

    filled = grace("post", f"{path}/canned-replies/", {"canned_reply": mine.pk})
    assert filled.json() == {"text": f"Hello {company.carol.name}"}
    mine.refresh_from_db()
    assert mine.uses == 1
    assert grace("post", f"{path}/canned-replies/", {"canned_reply": others.pk}).status_code == 400


def test_a_message_is_sent_again_or_taken_back(grace: Caller, ada: Caller, path: str) -> None:
    said = {"kind": "outbound", "text": "Hello", "client_id": str(uuid4())}
    message = grace("post", f"{path}/messages/", said).json()["id"]
    assert grace("post", f"{path}/messages/{message}/retry/").status_code == 409
    Message.objects.filter(pk=message).update(delivery="failed", error="550")
    again = grace("post", f"{path}/messages/{message}/retry/")
    assert again.status_code == 200 and again.json()["delivery"]["state"] == "pending"
    assert grace("post", f"{path}/messages/{message}/taking-back/").status_code == 409


def test_ones_changes_are_undone(grace: Caller, ada: Caller, path: str, conversation: Conversation) -> None:
    before = Conversation.objects.get(pk=conversation.pk).last_seq
    grace("patch", f"{path}/", {"priority": "urgent"})
    until = Conversation.objects.get(pk=conversation.pk).last_seq

    assert ada("post", f"{path}/undo/", {"after": before, "until": until}).status_code == 409
    assert grace("post", f"{path}/undo/", {"after": before, "until": until}).json()["priority"] == "normal"
    assert grace("post", f"{path}/undo/", {"after": -1, "until": until}).status_code == 400


def test_many_at_once_with_a_report(grace: Caller, company: Company, conversation: Conversation, at: datetime) -> None:
    other = write(company.gil, at)
    body = {
        "conversations": [conversation.pk, other.pk, 999_999],
        "client_id": str(uuid4()),
        "priority": "high",
        "assignee": company.linus.email,
        "add_tags": ["Outage"],
        "reply": "Hello {{ customer.name }}",
        "then": "on_hold",
    }

    report = grace("post", "/bulk-changes/", body)

    told = report.json()
    assert report.status_code == 201 and (told["summary"]["done"], told["summary"]["skipped"]) == (2, 1)
    assert [item["outcome"] for item in told["items"]] == ["done", "done", "skipped"]
    assert told["items"][0]["delivery"] == "pending" and told["items"][0]["after"]["priority"] == "high"
    assert told["items"][2]["why"] == "There is no such conversation."
    assert grace("post", "/bulk-changes/", body).json()["id"] == told["id"]
    assert Message.objects.filter(kind="outbound").count() == 2
    assert set(Conversation.objects.values_list("status", flat=True)) == {"on_hold"}

    (listed,) = grace("get", "/bulk-changes/").json()["results"]
    assert listed["id"] == told["id"] and "items" not in listed
    undone = grace("post", f"/bulk-changes/{told['id']}/undo/").json()
    assert undone["summary"]["undone"] == 2 and undone["undone_at"] and not undone["may_undo"]
    assert grace("post", f"/bulk-changes/{told['id']}/undo/").status_code == 409
    assert not Conversation.objects.filter(priority="high").exists()


def test_a_report_tells_no_secrets(grace: Caller, company: Company, conversation: Conversation) -> None:
    body = {"conversations": [conversation.pk], "priority": "high"}
    address = f"/bulk-changes/{grace('post', '/bulk-changes/', body).json()['id']}/"
    Conversation.objects.update(team=Team.objects.create(name="Board", is_private=True))

    (item,) = grace("get", address).json()["items"]

    assert (item["outcome"], item["before"], item["after"], item["message"]) == ("done", {}, {}, None)
    undone = grace("post", f"{address}undo/").json()
    assert undone["summary"]["undone"] == 0
    assert BulkItem.objects.get().undone == "There is no such conversation."


@pytest.mark.parametrize(
    "wrong",
    [
        {"priority": None},
        {"conversations": []},
        {"conversations": list(range(1, 202))},
        {"reply": "{{ nobody.knows }}"},
        {"status": "gone"},
        {"then": "new"},
    ],
)
def test_what_means_nothing_for_many_is_refused(
    grace: Caller, conversation: Conversation, wrong: dict[str, Any]
) -> None:
    body = {"conversations": [conversation.pk], "priority": "high"} | wrong
    body = {name: value for name, value in body.items() if value is not None}
    assert grace("post", "/bulk-changes/", body).status_code == 400


def test_a_view_of_the_inbox(grace: Caller, company: Company, conversation: Conversation, at: datetime) -> None:
    others = [write(company.gil, at + timedelta(minutes=n), tags=("vip",)) for n in range(60)]
    saved = SavedView.objects.create(name="VIP", owner=company.grace, filters={"tag": ["vip"]}, updated_at=at)

    first = grace("get", "/inbox/", view=f"saved-{saved.pk}").json()
    second = grace.client.get(first["next"], headers=grace.headers).json()

    found = [row["id"] for row in first["results"] + second["results"]]
    assert sorted(found) == [one.pk for one in others] and second["next"] is None
    assert first["title"] == "VIP" and first["results"][0]["clocks"]
    assert [row["id"] for row in grace("get", "/inbox/", customer=conversation.customer_id).json()["results"]] == [
        conversation.pk
    ]
    counts = {one["view"]: one["count"] for one in grace("get", "/inbox/counts/").json()}
    assert counts["reply"] == "61" and counts[f"saved-{saved.pk}"] == "60" and counts["all"] == ""
    theirs = SavedView.objects.create(name="X", owner=company.ada, filters={}, updated_at=at)
    for wrong in ({"view": "nothing"}, {"view": f"saved-{theirs.pk}"}, {"after": "x"}, {"status": "gone"}):
        assert grace("get", "/inbox/", **wrong).status_code == 400, wrong


def test_search(grace: Caller, company: Company, conversation: Conversation, at: datetime) -> None:
    made = [write(company.gil, at + timedelta(minutes=n), text="disk & full") for n in range(60)]

    first = grace("get", "/search/", q=f"disk from:{company.gil.email} status:gone", sort="newest").json()
    assert first["not_understood"] == ["status:"] and first["results"]
    first = grace("get", "/search/", q="disk", sort="newest").json()
    second = grace.client.get(first["next"], headers=grace.headers).json()
    assert [hit["conversation"]["id"] for hit in first["results"] + second["results"]] == [c.pk for c in reversed(made)]
    hit = first["results"][0]
    assert hit["excerpt"] == "disk & full" and hit["excerpt_html"] == "<mark>disk</mark> &amp; full"
    assert hit["message"] == made[-1].messages.get().pk and second["next"] is None
    Conversation.objects.exclude(pk=conversation.pk).update(team=Team.objects.create(name="Board", is_private=True))
    assert grace("get", "/search/", q="disk").json()["results"] == []
    for wrong in ({}, {"q": ""}, {"q": "x", "sort": "worst"}, {"q": "x", "from": "999"}):
        assert grace("get", "/search/", **wrong).status_code == 400, wrong


def test_how_one_is_told(grace: Caller, company: Company) -> None:
    before = grace("get", "/notification-choice/").json()
    assert before["ways"]["mention"] == ["badge", "toast", "sound", "push", "mail"] and before["quiet_from"] is None

    quiet = {"ways": {"mention": ["badge"]}, "quiet_from": "20:00", "quiet_until": "08:00", "hides_text": True}
    after = grace("patch", "/notification-choice/", quiet).json()

    assert after["ways"] == {**before["ways"], "mention": ["badge"]}
    assert (after["quiet_from"], after["quiet_until"], after["hides_text"]) == ("20:00:00", "08:00:00", True)
    assert NotificationChoice.objects.get().user == company.grace
    assert grace("patch", "/notification-choice/", {"quiet_until": None}).status_code == 400
    assert grace("patch", "/notification-choice/", {"ways": {"nothing": []}}).status_code == 400
    assert grace("patch", "/notification-choice/", {"ways": {"mention": ["pigeon"]}}).status_code == 400
    without: dict[str, list[str]] = {kind: [] for kind in before["ways"]}
    grace("patch", "/notification-choice/", {"ways": without})
    assert not User.objects.get(pk=company.grace.pk).notify_by_email


def test_viewers_keep_drafts_and_choices_and_change_nothing(
    grace: Caller, company: Company, path: str, conversation: Conversation
) -> None:
    User.objects.filter(pk=company.grace.pk).update(role=User.Role.VIEWER)

    assert grace("put", f"{path}/draft/", {"kind": "note", "text": "x"}).status_code == 200
    assert grace("patch", "/notification-choice/", {"hides_text": True}).status_code == 200
    assert grace("post", f"{path}/mentions-seen/").status_code == 204
    for address in ("checklist", "time-entries", "followers", "forwards", "canned-replies", "undo"):
        assert grace("post", f"{path}/{address}/", {}).status_code == 403, address
    assert grace("post", "/bulk-changes/", {"conversations": [conversation.pk], "priority": "low"}).status_code == 403
    assert grace("get", "/search/", q="shop").json()["results"]
