"""Steps against posts and people: with a reason, on record, and with a way back; who may take them."""

from datetime import datetime, timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Team, User
from helpdesk.events.outcomes import RetryLater
from social import moderating, saying
from social.happenings import Author, Said
from social.models import Account, Approval, Arrival, ModerationAction, Person, Post
from social.networks.x import X
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in
from tests.social.talk import account_on, said_to

pytestmark = pytest.mark.django_db


def _moderate(browser: Client, conversation: Conversation, **given: object) -> HttpResponse:
    answer: HttpResponse = browser.post(  # type: ignore[assignment]
        reverse("social:moderate", args=[conversation.pk]), {"reason": "abuse", "words": "Third time", **given}
    )
    return answer


def test_a_post_is_hidden_with_a_reason_and_shown_again(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(X, "moderate", lambda _self, _connection, kind, *, post, **_more: told.append((kind, post)))
    conversation = said_to(account_on("x", at), "Their card is 4111 1111 1111 1111", at)
    post, browser = Post.objects.get(), logged_in(company.grace)
    dialog = f"{reverse('social:moderate', args=[conversation.pk])}?post={post.pk}&kind=hide&reason=private_data"
    asked = browser.get(dialog).content.decode()
    assert 'value="hide" required checked' in asked and 'value="private_data" selected' in asked
    assert 'value="delete"' not in asked, "that is an admin's"

    assert _moderate(browser, conversation, post=post.pk, kind="hide", reason="").status_code == 422
    assert _moderate(browser, conversation, post=post.pk, kind="hide", reason="mistake").status_code == 422
    assert not ModerationAction.objects.exists()
    assert _moderate(browser, conversation, post=post.pk, kind="hide", reason="private_data").status_code == 302
    action = ModerationAction.objects.get()
    assert (action.by, action.words, action.state) == (company.grace, "Third time", "wanted")
    assert action.snapshot["post"]["text"].startswith("Their card")
    post.refresh_from_db()
    assert post.hidden_at is not None
    assert moderating.carry_out_due(at=action.at) == 1
    listed = browser.get(reverse("social:moderation")).content.decode()
    assert "Private data" in listed and company.grace.name in listed

    where = reverse("social:reverse", args=[action.pk])
    browser.post(where, {"reason": "abuse"})
    assert ModerationAction.objects.count() == 1, "a reason of its own"
    for _time in range(2):
        browser.post(where, {"reason": "mistake"})
    assert ModerationAction.objects.get(reverses=action).kind == "unhide", "once"
    moderating.carry_out_due(at=action.at + timedelta(hours=1))
    assert not Post.objects.exclude(hidden_at=None).exists()
    assert told == [("hide", post.external_id), ("unhide", post.external_id)]


def test_muting_and_blocking_hold_here_at_once_whatever_the_network_can(company: Company, at: datetime) -> None:
    x = account_on("x", at)
    conversation = said_to(x, "Hello", at)
    assert _moderate(logged_in(company.grace), conversation, kind="block").status_code == 403
    assert _moderate(logged_in(company.ada), conversation, kind="block").status_code == 302
    blocked = ModerationAction.objects.get()
    assert blocked.state == "by_hand", "X has no call for it"
    author = Author(id="id-maria", handle="@maria")
    again = Said("p2", at, author, "You again", "post", "maria:True", True)
    saying.file(x, again, Arrival(account=x, key=again.key), at=at)
    assert Message.objects.filter(conversation=conversation).count() == 1, "nothing of theirs comes in"

    for who, code in ((company.grace, 403), (company.ada, 302)):
        assert logged_in(who).post(reverse("social:done", args=[blocked.pk])).status_code == code
    blocked.refresh_from_db()
    assert blocked.state == "done"
    assert logged_in(company.grace).post(reverse("social:reverse", args=[blocked.pk])).status_code == 403
    logged_in(company.ada).post(reverse("social:reverse", args=[blocked.pk]), {"reason": "appeal"})
    assert Person.objects.get().blocked_at is None
    with pytest.raises(moderating.NotReversible):
        moderating.reverse(blocked.pk, company.ada, "appeal", at=at)


def test_what_the_network_does_not_take_now_is_tried_again(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_given: object, **_named: object) -> None:
        raise RetryLater("503", timedelta(seconds=30))

    monkeypatch.setattr(X, "moderate", away)
    said_to(account_on("x", at), "Hello", at)
    action = moderating.act(ModerationAction.Kind.MUTE, company.ada, "spam", at=at, person=Person.objects.get())
    assert moderating.carry_out_due(at=at) == 1
    action.refresh_from_db()
    assert (action.state, action.due_at) == ("wanted", at + timedelta(seconds=30))


def test_who_may_do_what(company: Company, at: datetime) -> None:
    """Every address of the conversation's side, by role; and nothing of a private team's conversation."""
    account = account_on("x", at)
    conversation = said_to(account, "Hello", at)
    ours = Message.objects.create(
        conversation=conversation, kind="outbound", author_kind="agent", agent=company.linus, text="Hi", full_text="Hi",
        at=at, via="x", delivery="failed",
    )  # fmt: skip
    approval = Approval.objects.create(
        conversation=conversation, text="Hi", by=company.linus, at=at, client_id="8a3b6ad0-59a8-4d3f-8a45-7d7f5e1a4c11"
    )
    action = moderating.act(ModerationAction.Kind.MUTE, company.ada, "spam", at=at, person=Person.objects.get())
    pk = [conversation.pk]
    asked: list[tuple[str, str, list[int], bool]] = [
        ("GET", "count", pk, True),
        ("POST", "ticket", pk, False),
        ("GET", "private", pk, True),
        ("POST", "private", pk, False),
        ("GET", "moderate", pk, True),
        ("POST", "moderate", pk, False),
        ("POST", "claim_link", pk, False),
        ("GET", "by_hand", [ours.pk], True),
        ("POST", "by_hand", [ours.pk], False),
        ("POST", "decide", [approval.pk], False),
        ("POST", "reverse", [action.pk], False),
        ("POST", "done", [action.pk], False),
    ]
    lists: list[tuple[str, str, list[int], bool]] = [
        ("GET", "approvals", [], True),
        ("GET", "moderation", [], True),
        ("POST", "log", [], False),
    ]

    def codes(who: Client, of: list[tuple[str, str, list[int], bool]]) -> dict[str, int]:
        def call(method: str, name: str, args: list[int]) -> int:
            where = reverse(f"social:{name}", args=args)
            return who.get(where).status_code if method == "GET" else who.post(where).status_code

        return {f"{method} {name}": call(method, name, args) for method, name, args, _reads in of}

    User.objects.filter(pk=company.grace.pk).update(role=User.Role.VIEWER)
    viewer = codes(logged_in(company.grace), asked + lists)
    assert viewer == {f"{m} {n}": 200 if reads else 403 for m, n, _args, reads in asked + lists}
    assert set(codes(Client(), asked + lists).values()) == {302}, "strangers log in"

    team = Team.objects.create(name="Board", is_private=True)
    Conversation.objects.filter(pk=conversation.pk).update(team=team)
    User.objects.filter(pk=company.grace.pk).update(role=User.Role.AGENT)
    outside = logged_in(company.grace)
    assert set(codes(outside, asked).values()) == {404}
    for name in ("approvals", "moderation"):
        assert f"#{conversation.pk}" not in outside.get(reverse(f"social:{name}")).content.decode()
    assert Approval.objects.get().state == "waiting" and not ModerationAction.objects.filter(reverses=action).exists()
    inside = codes(logged_in(company.ada), asked)
    assert set(inside.values()) <= {200, 302, 404, 422} and inside["POST ticket"] == 302
    assert Account.objects.count() == 1
