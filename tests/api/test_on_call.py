"""Pages, schedules and who is on call, over the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from helpdesk.conversations.models import Conversation
from helpdesk.oncall import paging, rotas
from helpdesk.oncall.models import Page, Schedule, Shift
from tests.api.conftest import Caller
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db

PAGE_FIELDS = {
    "id", "dedup_key", "urgency", "reasons", "state", "conversation", "triggered_at", "acknowledged_at",
    "acknowledged_by", "resolved_at", "deliveries",
}  # fmt: skip
LAYER = {
    "position": 1,
    "rotation": "weekly",
    "turn": 1,
    "starts_on": "2026-01-05",
    "handoff": "09:00",
    "restrictions": [],
    "members": [],
}


@pytest.fixture
def page(conversation: Conversation, at: datetime) -> Page:
    return paging.trigger(
        paging.conversation_key(conversation.pk),
        paging.Reason("dispatch", "Nobody has taken it in time", at),
        urgency="high",
        summary="#1 Shop is slow",
        at=at,
        conversation_id=conversation.pk,
    )


def test_a_page_looks_as_the_contract_says(grace: Caller, page: Page) -> None:
    (shown,) = grace("get", "/pages/").json()["results"]
    assert set(shown) >= PAGE_FIELDS and shown == grace("get", f"/pages/{page.pk}/").json()
    assert shown["state"] == "triggered" and shown["conversation"] == page.conversation_id
    assert shown["reasons"][0]["kind"] == "dispatch"
    (delivery,) = shown["deliveries"]
    assert set(delivery) >= {"channel", "to", "state", "attempts", "error", "at"}
    assert delivery["to"] == "grace@demo.example" and delivery["state"] == "pending" and delivery["at"] is None


def test_pages_are_filtered(grace: Caller, page: Page) -> None:
    for query, found in (
        ({"state": "triggered"}, 1),
        ({"state": "resolved"}, 0),
        ({"urgency": "high"}, 1),
        ({"urgency": "low"}, 0),
        ({"conversation": page.conversation_id}, 1),
        ({"conversation": 10**18}, 0),
    ):
        assert len(grace("get", "/pages/", **query).json()["results"]) == found, query
    for senseless in ({"state": "x"}, {"conversation": "x"}, {"conversation": 10**40}, {"conversation": "1e400"}):
        assert grace("get", "/pages/", **senseless).status_code == 400, senseless


def test_acknowledging_and_resolving(grace: Caller, company: Company, page: Page) -> None:
    shown = grace("post", f"/pages/{page.pk}/acknowledgement/").json()
    assert shown["state"] == "acknowledged" and shown["acknowledged_by"] == company.grace.pk
    assert grace("post", f"/pages/{page.pk}/acknowledgement/", {}).json() == shown
    shown = grace("post", f"/pages/{page.pk}/resolution/").json()
    assert shown["state"] == "resolved" and shown["resolved_at"]
    assert grace("post", f"/pages/{page.pk}/acknowledgement/").json()["state"] == "resolved"
    for step in ("acknowledgement", "resolution"):
        assert grace("post", f"/pages/987654/{step}/").status_code == 404


def test_on_call_says_how_it_will_be_handled_in_one_step(grace: Caller, company: Company, page: Page) -> None:
    answer = grace("post", f"/pages/{page.pk}/acknowledgement/", {"handling": "I will reboot c01 at ten."})
    assert answer.status_code == 200
    messages = grace("get", f"/conversations/{page.conversation_id}/messages/").json()["results"]
    assert messages[-1]["kind"] == "outbound" and messages[-1]["text"] == "I will reboot c01 at ten."
    assert grace("get", f"/conversations/{page.conversation_id}/").json()["assignee"] == company.grace.pk


def test_words_about_a_page_without_a_customer_are_refused(grace: Caller, company: Company, at: datetime) -> None:
    lone = paging.trigger(
        "engine", paging.Reason("silence", "No heartbeat", at), urgency="high", summary="Silent", at=at
    )
    answer = grace("post", f"/pages/{lone.pk}/acknowledgement/", {"handling": "On it"})
    assert answer.status_code == 400 and answer.json()["handling"]
    assert grace("get", f"/pages/{lone.pk}/").json()["state"] == "triggered"


def test_who_is_on_call_now(grace: Caller, ada: Caller, company: Company) -> None:
    rotas.plan_ahead(at=timezone.now())
    now = grace("get", "/oncall/now/").json()
    (schedule,) = now["schedules"]
    person = {"id": company.grace.pk, "name": "Grace Hopper", "email": "grace@demo.example"}
    assert schedule["on_call"] == person and schedule["is_fallback"] is False
    assert schedule["until"] is None and schedule["next"] is None
    begins, ends = timezone.now() + timedelta(hours=1), timezone.now() + timedelta(hours=2)
    window = {"user": "linus@demo.example", "start": begins.isoformat(), "end": ends.isoformat()}
    assert ada("post", f"/schedules/{schedule['id']}/overrides/", window).status_code == 201
    (schedule,) = grace("get", "/oncall/now/").json()["schedules"]
    assert schedule["on_call"] == person and schedule["next"]["name"] == "Linus Torvalds"
    assert datetime.fromisoformat(schedule["until"]) == begins


def test_a_schedule_is_written_and_planned(ada: Caller, company: Company) -> None:
    body = {
        "name": "Nights",
        "timezone": "Europe/Berlin",
        "fallback": "ada@demo.example",
        "layers": [
            {
                **LAYER,
                "restrictions": [{"days": [0, 1, 2, 3, 4, 5, 6], "start": "20:00", "end": "08:00"}],
                "members": [company.grace.pk, company.linus.pk],
            }
        ],
    }
    answer = ada("post", "/schedules/", body)
    assert answer.status_code == 201, answer.content
    shown = answer.json()
    assert set(shown) == {"id", "name", "timezone", "fallback", "planned_until", "layers"}
    assert shown["layers"] == body["layers"] and shown["fallback"] == company.ada.pk and shown["planned_until"]
    assert Shift.objects.filter(layer__schedule=shown["id"]).exists()
    path = f"/schedules/{shown['id']}/"
    window = {"from": "2026-02-02T00:00:00Z", "until": "2026-02-03T00:00:00+00:00"}
    slots = ada("get", f"{path}timeline/", **window).json()
    # Four weeks after the first: grace's turn begins with Monday's hand-off at nine, an hour after the night has ended.
    assert [(slot["start"][11:16], slot["user"]) for slot in slots] == [
        ("00:00", company.linus.pk),
        ("07:00", None),
        ("19:00", company.grace.pk),
    ]
    gaps = ada("get", f"{path}gaps/", **window).json()
    assert [(gap["start"], gap["end"]) for gap in gaps] == [("2026-02-02T07:00:00Z", "2026-02-02T19:00:00Z")]
    changed = ada("patch", path, {"layers": [{**LAYER, "members": [company.ada.pk]}]}).json()
    assert changed["name"] == "Nights" and changed["layers"][0]["members"] == [company.ada.pk]
    assert ada("get", f"{path}gaps/", **window).json() == []


def test_a_removed_layer_keeps_its_past(ada: Caller, company: Company) -> None:
    schedule = Schedule.objects.get()
    before = set(Shift.objects.filter(during__endswith__lt=timezone.now()).values_list("pk", flat=True))
    assert before
    shown = ada("patch", f"/schedules/{schedule.pk}/", {"layers": []}).json()
    assert shown["layers"] == []
    assert before <= set(Shift.objects.values_list("pk", flat=True))
    assert not Shift.objects.filter(during__endswith__gt=timezone.now()).exists()
    (now,) = ada("get", "/oncall/now/").json()["schedules"]
    assert now["on_call"]["email"] == "ada@demo.example" and now["is_fallback"] is True


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"timezone": "CET"}, "timezone"),
        ({"timezone": "Europe/Nowhere"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"fallback": "nobody"}, "fallback"),
        ({"fallback": None}, "fallback"),
        ({"layers": [{**LAYER, "turn": 0}]}, "layers"),
        ({"layers": [{**LAYER, "turn": 8000}]}, "layers"),
        ({"layers": [{**LAYER, "rotation": "monthly"}]}, "layers"),
        ({"layers": [{**LAYER, "handoff": "25:00"}]}, "layers"),
        ({"layers": [{**LAYER, "starts_on": "0001-01-01"}]}, "layers"),
        ({"layers": [{**LAYER, "members": [987654]}]}, "layers"),
        ({"layers": [LAYER, LAYER]}, "layers"),
        ({"layers": [{**LAYER, "position": n} for n in range(21)]}, "layers"),
        ({"layers": [{**LAYER, "restrictions": [{"days": [7], "start": "08:00", "end": "20:00"}]}]}, "layers"),
        ({"layers": [{**LAYER, "restrictions": [{"days": [], "start": "08:00", "end": "20:00"}]}]}, "layers"),
        ({"layers": [{**LAYER, "restrictions": [{"days": [1], "start": "24:00", "end": "20:00"}]}]}, "layers"),
        ({"layers": [{**LAYER, "restrictions": [{"days": [1], "start": "8", "end": "20:00"}]}]}, "layers"),
        ({"layers": [{**LAYER, "restrictions": 60 * [{"days": [1], "start": "08:00", "end": "20:00"}]}]}, "layers"),
        ({"layers": {"a": 1}}, "layers"),
    ],
)
def test_a_senseless_rota_is_refused(ada: Caller, company: Company, change: dict[str, Any], field: str) -> None:
    schedule = Schedule.objects.get()
    before = ada("get", f"/schedules/{schedule.pk}/").json()
    answer = ada("patch", f"/schedules/{schedule.pk}/", change)
    assert answer.status_code == 400 and answer.json()[field], answer.content
    assert ada("get", f"/schedules/{schedule.pk}/").json() == before


def test_a_senseless_window_is_refused(grace: Caller, company: Company) -> None:
    path = f"/schedules/{Schedule.objects.get().pk}/timeline/"
    for window in (
        {"from": "tomorrow"},
        {"from": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
        {"from": "2020-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
        {"from": "0001-01-01T00:00:00+14:00"},
        {"until": "9999-12-31T23:59:59-12:00"},
    ):
        answer = grace("get", path, **window)
        assert answer.status_code == 400 and answer.json(), window


def test_standing_in(ada: Caller, grace: Caller, company: Company) -> None:
    path = f"/schedules/{Schedule.objects.get().pk}/overrides/"
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    body = {
        "user": company.linus.pk,
        "start": start.isoformat(),
        "end": (start + timedelta(days=1)).isoformat(),
        "reason": "Wedding",
    }
    answer = ada("post", path, body)
    assert answer.status_code == 201 and set(answer.json()) == {"id", "user", "start", "end", "reason"}
    assert answer.json()["reason"] == "Wedding" and answer.json()["user"] == company.linus.pk
    overlapping = ada("post", path, body)
    assert overlapping.status_code == 400 and "already" in overlapping.json()[0]
    assert ada("post", path, {**body, "end": body["start"]}).status_code == 400
    assert ada("post", path, {**body, "end": "9999-12-31T23:59:59Z"}).status_code == 400
    assert [row["id"] for row in grace("get", path).json()["results"]] == [answer.json()["id"]]
    assert ada("delete", f"{path}{answer.json()['id']}/").status_code == 204
    assert grace("get", path).json()["results"] == []
    running = ada("post", path, {**body, "start": (start - timedelta(days=3)).isoformat()}).json()
    assert ada("delete", f"{path}{running['id']}/").status_code == 204
    ended = grace("get", path).json()["results"][0]
    assert datetime.fromisoformat(ended["end"]) <= timezone.now()
    assert ada("delete", f"{path}{running['id']}/").status_code == 400
    assert ada("post", "/schedules/987654/overrides/", body).status_code == 404
    assert ada("get", "/schedules/987654/overrides/").status_code == 404
