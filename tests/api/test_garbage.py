"""Whatever is sent, the answer is JSON with a reason, and never an error of ours."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpdesk.conversations.models import Conversation
from helpdesk.oncall import paging
from helpdesk.oncall.models import Schedule
from helpdesk.sla.models import Calendar, Policy
from tests.api.conftest import API, Caller
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db

WORDS = (
    "subject text customer email name priority team services tags channel client_id status assignee kind into previous "
    "handling plan customer_since domains notes policy support_hours realtime realtime_days realtime_channels is_default "
    "aliases parent organizations role timezone language is_active teams password week holidays date is_office country "
    "subdivision calendar goals target minutes fallback layers position rotation turn starts_on handoff restrictions "
    "members days start end user reason from until organization blocked_at escalation_policy urgent_when_closed"
).split()
VALUES = [
    *("new", "urgent", "outbound", "note", "cluster", "admin", "weekly", "hours", "dispatch", "always", "email", "api"),
    *("Europe/Berlin", "CET", "2026-01-01", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "08:00", "24:00", "mon"),
    *("a@b.example", "DE", "1", "", " ", "\x00", "\ud800", "é" * 300, "<script>", "%s'\"; --", "../..", "\u202e", "0"),
    *(0, 1, -1, 2**31, 2**63, 10**30, 1.5, 1e308, True, False, None),
]  # fmt: skip
LEAVES = (
    st.sampled_from(VALUES) | st.text(max_size=20) | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6),
    max_leaves=12,
)
BODIES = st.dictionaries(st.sampled_from(WORDS), JSON, max_size=10)

WRITABLE = [
    ("post", "/conversations/"),
    ("patch", "/conversations/{conversation}/"),
    ("post", "/conversations/{conversation}/messages/"),
    ("post", "/conversations/{conversation}/merge/"),
    ("post", "/conversations/{conversation}/links/"),
    ("post", "/customers/"),
    ("patch", "/customers/{customer}/"),
    ("post", "/organizations/"),
    ("post", "/plans/"),
    ("post", "/services/"),
    ("post", "/teams/"),
    ("post", "/tags/"),
    ("post", "/agents/"),
    ("patch", "/agents/{agent}/"),
    ("post", "/calendars/"),
    ("patch", "/calendars/{calendar}/"),
    ("post", "/calendars/{calendar}/holiday-imports/"),
    ("post", "/policies/"),
    ("patch", "/policies/{policy}/"),
    ("post", "/schedules/"),
    ("patch", "/schedules/{schedule}/"),
    ("post", "/schedules/{schedule}/overrides/"),
    ("post", "/pages/{page}/acknowledgement/"),
    ("post", "/pages/{page}/resolution/"),
]
QUERIES = [
    ("/conversations/", "status channel assignee team priority customer organization tag service q updated_since cursor page_size"),
    ("/conversations/{conversation}/messages/", "cursor page_size"),
    ("/conversations/{conversation}/events/", "after page_size"),
    ("/customers/", "email organization q cursor"),
    ("/pages/", "state urgency conversation dedup_key cursor"),
    ("/inbound-emails/", "state source conversation message_id sha256 cursor"),
    ("/schedules/{schedule}/timeline/", "from until"),
    ("/schedules/{schedule}/gaps/", "from until"),
]  # fmt: skip
EASY = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def there(company: Company, conversation: Conversation, at: Any) -> dict[str, int]:
    page = paging.trigger("x", paging.Reason("dispatch", "Late", at), urgency="low", summary="Late", at=at)
    return {
        "conversation": conversation.pk,
        "customer": conversation.customer_id,
        "page": page.pk,
        "agent": company.linus.pk,
        "calendar": Calendar.objects.get(name="24x7").pk,
        "policy": Policy.objects.get(name="12x5").pk,
        "schedule": Schedule.objects.get().pk,
    }


def is_a_clear_answer(answer: Any) -> bool:
    if answer.status_code == 204:
        return True
    assert answer["Content-Type"] == "application/json", answer["Content-Type"]
    assert answer.status_code < 400 or answer.json(), "an error without a reason"
    return bool(answer.status_code < 500)


@pytest.mark.parametrize(("method", "path"), WRITABLE)
def test_bodies(ada: Caller, there: dict[str, int], method: str, path: str) -> None:
    @EASY
    @given(body=BODIES | JSON)
    def run(body: Any) -> None:
        answer = ada(method, path.format(**there), json.dumps(body))
        assert is_a_clear_answer(answer), (body, answer.content)

    run()


@pytest.mark.parametrize(("path", "names"), QUERIES)
def test_queries(ada: Caller, there: dict[str, int], path: str, names: str) -> None:
    words = st.sampled_from([str(value) for value in VALUES if value != "\ud800"]) | st.text(
        st.characters(exclude_categories=["Cs"]), max_size=30
    )

    @EASY
    @given(query=st.dictionaries(st.sampled_from(names.split()), words, max_size=3))
    def run(query: dict[str, str]) -> None:
        answer = ada("get", path.format(**there), **query)
        assert is_a_clear_answer(answer), (query, answer.content)

    run()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"null", 400),
        (b"[]", 400),
        (b'"text"', 400),
        (b'{"text": NaN}', 400),
        (b'{"text": 1e999}', 400),
        (b'{"text": "\\u0000"}', 400),
        (b'{"\\u0000": "x"}', 400),
        (b'{"text": "\\ud800"}', 400),
        (b'{"customer": 123456789012345678901234567890}', 400),
        (b'{"customer": ' + b"9" * 5000 + b"}", 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400),
        (b'{"text": "' + b"x" * 5_000_001 + b'"}', 413),
    ],
    ids=range(16),
)
def test_what_is_no_sensible_json(grace: Caller, body: bytes, status: int) -> None:
    answer = grace.client.post(f"{API}/conversations/", body, content_type="application/json", headers=grace.headers)
    assert answer.status_code == status and answer["Content-Type"] == "application/json" and answer.json()
    assert not Conversation.objects.exists()


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_other_kinds_of_body(grace: Caller, kind: str) -> None:
    answer = grace.client.post(f"{API}/conversations/", b"x=1", content_type=kind, headers=grace.headers)
    assert answer.status_code == 415 and answer.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/nothing",
        "/api/v1/",
        "/api/v2/conversations/",
        f"{API}/nothing/",
        f"{API}/conversations",
        f"{API}/conversations/x/",
        f"{API}/conversations/0/",
        f"{API}/conversations/-1/",
        f"{API}/conversations/999999999999999999/",
        f"{API}/conversations/{'9' * 400}/",
        f"{API}/conversations/%00/",
        f"{API}/conversations/999999999999999999/messages/",
        f"{API}/conversations/{'9' * 400}/messages/",
        f"{API}/attachments/{'9' * 30}/content/",
        f"{API}/pages/{'9' * 30}/acknowledgement/",
    ],
)
def test_unknown_addresses(grace: Caller, stranger: Caller, path: str) -> None:
    for method in ("get", "post", "delete"):
        answer = grace(method, path)
        assert answer.status_code in (404, 405) and answer["Content-Type"] == "application/json", (method, answer)
        assert answer.json()["detail"]
    assert stranger("get", path).status_code in (401, 404)


def test_a_browser_that_wants_a_page_gets_json(grace: Caller) -> None:
    headers = {**grace.headers, "Accept": "text/html"}
    assert grace.client.get(f"{API}/conversations/", headers=headers)["Content-Type"] == "application/json"
    both = {**grace.headers, "Accept": "text/html,*/*;q=0.8"}
    assert grace.client.get(f"{API}/conversations/", headers=both).status_code == 200
