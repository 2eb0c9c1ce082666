"""The social room's API: secrets go in and never out, private teams' posts stay theirs."""

from datetime import datetime

import pytest

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import AuditEntry, Team
from social import accounts
from social.models import Account, Announcement, Arrival
from tests.api.conftest import Caller
from tests.fixtures.company import Company
from tests.fixtures.providers.mastodon import TOKEN, MastodonServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(company: Company) -> Caller:
    return Caller(company.ada)


@pytest.fixture
def grace(company: Company) -> Caller:
    return Caller(company.grace)


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: object) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = "127.0.0.0/8"  # type: ignore[attr-defined]


def test_an_account_is_connected_and_its_secret_never_shown(
    ada: Caller, grace: Caller, mastodon: MastodonServer
) -> None:
    given = {"network": "mastodon", "name": "Us", "base_url": mastodon.url}
    made = ada("post", "/accounts/", given)
    assert made.status_code == 201, made.content
    assert (made.json()["state"], made.json()["missing"]) == ("not_connected", ["access_token"])
    where = f"/accounts/{made.json()['id']}/"
    assert ada("patch", where, {"secrets": {"password": "x"}}).status_code == 400
    known = ada("patch", where, {"secrets": {"access_token": TOKEN}, "checks": ["08:30"], "daily_cap": 5_000_000})
    assert (known.json()["state"], known.json()["missing"], known.json()["checks"]) == ("degraded", [], ["08:30"])
    assert TOKEN not in known.content.decode() + str(list(AuditEntry.objects.values_list("before", "after")))

    assert ada("post", f"{where}probe/").json()["state"] == "connected"
    account = Account.objects.get()
    assert accounts.opened(account).secrets == {"access_token": TOKEN} and account.external_id == "1"
    assert ada("patch", where, {"secrets": {"access_token": ""}, "name": "We"}).json()["state"] == "connected"
    assert ada("post", "/accounts/", {**given, "external_id": "1"}).status_code == 400, "it is there already"
    assert grace("get", where).status_code == 200 and grace("patch", where, {"name": "x"}).status_code == 403


def test_what_was_seen_is_logged_once_and_private_teams_keep_theirs(
    account: Account, ada: Caller, grace: Caller, company: Company
) -> None:
    seen = {"account": account.pk, "url": "https://m.example/@eve/1", "handle": "@eve", "text": "Your mail is down"}
    made = grace("post", "/posts/", seen)
    assert made.status_code == 201, made.content
    assert grace("post", "/posts/", seen).json()["id"] == made.json()["id"]
    assert Conversation.objects.get().channel == "mastodon"
    listed = grace("get", f"/posts/?account={account.pk}&conversation={made.json()['conversation']}").json()
    assert [one["text"] for one in listed["results"]] == ["Your mail is down"]

    team = Team.objects.create(name="Board", is_private=True)
    Conversation.objects.update(team=team)
    assert grace("get", "/posts/").json()["results"] == []
    assert grace("get", f"/posts/{made.json()['id']}/").status_code == 404
    assert grace("post", "/posts/", seen).status_code == 404


def test_an_announcement_is_written_approved_and_withdrawn(account: Account, ada: Caller, grace: Caller) -> None:
    Account.objects.update(needs_approval=True)
    assert grace("post", "/announcements/", {"text": "hi", "accounts": []}).status_code == 400
    refused = grace("post", "/announcements/", {"text": "my password is hunter22", "accounts": [account.pk]})
    assert refused.status_code == 400 and "password" in refused.content.decode()
    made = grace(
        "post", "/announcements/", {"text": "Hello", "accounts": [account.pk], "link": "https://d.example/"}
    ).json()
    where = f"/announcements/{made['id']}/"
    assert grace("post", f"{where}submission/", {}).json()["state"] == "waiting"
    assert grace("post", f"{where}approval/").status_code == 409, "who wrote it does not approve it"
    approved = ada("post", f"{where}approval/").json()
    assert (approved["state"], approved["approved_by"] is not None) == ("scheduled", True)
    assert ada("post", f"{where}withdrawal/").json()["state"] == "withdrawn"
    assert ada("post", f"{where}withdrawal/").status_code == 409
    assert ada("post", f"{where}retry/", {"post": made["posts"][0]["id"]}).status_code == 409
    assert ada("post", f"{where}posted/", {"post": made["posts"][0]["id"] + 1}).status_code == 400
    assert ada("get", "/announcements/?state=withdrawn").json()["results"][0]["id"] == Announcement.objects.get().pk


def test_the_ledger_is_the_admins_and_what_was_quarantined_is_tried_again(
    account: Account, ada: Caller, grace: Caller, at: datetime
) -> None:
    common = {"account": account, "happened_at": at, "received_at": at, "state": "quarantined", "error": "odd"}
    one = Arrival.objects.create(key="a", body={"happening": "said"}, **common)
    raw = Arrival.objects.create(key="b", body={"raw": "{"}, **common)
    assert grace("get", "/arrivals/").status_code == 403
    assert len(ada("get", "/arrivals/?state=quarantined").json()["results"]) == 2
    assert ada("post", f"/arrivals/{one.pk}/replay/").json()["state"] == "accepted"
    assert ada("post", f"/arrivals/{one.pk}/replay/").status_code == 409
    assert ada("post", f"/arrivals/{raw.pk}/replay/").status_code == 409
