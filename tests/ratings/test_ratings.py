"""Customers are asked once, rate with one click that no scanner makes, and low ratings reach whoever leads."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import merging
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Team
from helpdesk.events import outbox
from helpdesk.events.actors import Actor
from helpdesk.events.models import Event
from helpdesk.ratings import asking, giving, links
from helpdesk.ratings.models import Rating, rating_settings
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tickets.desk.models import Mention

HOUR = timedelta(hours=1)


def resolved(company: Company, at: datetime, **fields: object) -> Conversation:
    """Asked by Carol, answered and solved by Grace."""
    conversation = write(company.carol, at, **fields)
    conversations.reply(conversation.pk, company.grace, "Done.", at=at)
    return resolve(company, conversation, at)


def resolve(company: Company, conversation: Conversation, at: datetime) -> Conversation:
    actor = Actor.agent(company.grace)
    found = conversations.change(conversation.pk, conversations.Changes(status="resolved"), actor=actor, at=at)
    outbox.drain(at=at)
    return found


def questions(conversation: Conversation) -> list[Message]:
    return list(Message.objects.filter(conversation=conversation, is_automatic=True, text__contains="/rate/"))


def test_the_question_is_asked_once_after_a_while(company: Company, at: datetime) -> None:
    conversation = resolved(company, at)
    assert (asking.sweep(at + HOUR - timedelta(seconds=1)), asking.sweep(at + HOUR), asking.sweep(at + HOUR)) == (
        0,
        1,
        0,
    )
    (question,) = questions(conversation)
    assert (
        "?score" not in question.text
        and "?score=5" in question.html
        and "?score=1" in question.html
        and question.via == "email"
    )
    rating = Rating.objects.get()
    assert (rating.agent, rating.team_id, rating.score) == (company.grace, conversation.team_id, None)
    # Opened and solved again it is not asked again within thirty days, and is after them.
    for later, count in ((at + timedelta(days=2), 1), (at + timedelta(days=31), 2)):
        conversations.change(
            conversation.pk, conversations.Changes(status="open"), actor=Actor.agent(company.grace), at=later
        )
        outbox.drain(at=later)
        resolve(company, conversation, later)
        asking.sweep(later + HOUR)
        assert len(questions(conversation)) == count


def test_who_is_not_asked(company: Company, at: datetime) -> None:
    unanswered = resolve(company, write(company.carol, at), at)
    machine = write(company.gil, at, is_automatic=True)
    conversations.reply(machine.pk, company.grace, "Done.", at=at)
    resolve(company, machine, at)
    assert not Rating.objects.exists()
    opened_again, spam, merged, rated, off = (resolved(company, at) for _ in range(5))
    conversations.change(opened_again.pk, conversations.Changes(status="open"), actor=Actor.agent(company.grace), at=at)
    outbox.drain(at=at)
    Conversation.objects.filter(pk=spam.pk).update(is_spam=True)
    Conversation.objects.filter(pk=merged.pk).update(merged_into=off)
    giving.give(rated.pk, 4, "", via="chat", at=at)
    rules = rating_settings()
    rules.is_on = False
    rules.save()
    assert asking.sweep(at + HOUR) == 0
    assert not Rating.objects.filter(due_at__isnull=False).exists()
    assert not any(map(questions, (unanswered, machine, opened_again, spam, merged, rated, off)))


def test_opening_a_link_records_nothing(company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = resolved(company, at)
    asking.sweep(at + HOUR)
    monkeypatch.setattr("helpdesk.ratings.views.now", lambda: at + 2 * HOUR)
    path = f"/rate/{links.token(conversation.pk, at + HOUR)}/"
    browser = Client()
    for score in (1, 2, 3, 4, 5):  # a scanner opens them all
        page = browser.get(f"{path}?score={score}").content.decode()
        assert f'value="{score}" required checked' in page and page.count("checked") == 1
        assert browser.head(f"{path}?score={score}").status_code == 200
    # An agent reads the link in the thread, and rates nothing by it.
    agent = logged_in(company.grace)
    assert (agent.get(path).status_code, agent.post(path, {"score": "5"}).status_code) == (403, 403)
    assert Rating.objects.get().score is None
    assert browser.post(path, {"score": "6"}).status_code == 422
    answer = browser.post(path, {"score": "5", "comment": " Quick and <b>kind</b> "}, follow=True)
    assert "Thank you" in answer.content.decode() and "&lt;b&gt;kind" in answer.content.decode()
    rating = Rating.objects.get()
    assert (rating.score, rating.comment, rating.via, rating.due_at) == (5, "Quick and <b>kind</b>", "mail", None)
    # Replayed it is the same; another score within fourteen days replaces it.
    browser.post(path, {"score": "5", "comment": "Quick and <b>kind</b>"})
    assert Event.objects.filter(kind=giving.GIVEN).count() == 1
    browser.post(path, {"score": "2", "comment": ""})
    assert Event.objects.filter(kind=giving.GIVEN).latest("pk").data["was"] == 5


def test_what_was_merged_is_rated_where_it_went(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("helpdesk.ratings.views.now", lambda: at + 2 * HOUR)
    first, second, rated, gils = (resolved(company, at, subject=name) for name in ("first", "second", "rated", "other"))
    Conversation.objects.filter(pk=gils.pk).update(customer=company.gil)
    asking.sweep(at + HOUR)
    giving.give(rated.pk, 4, "", via="mail", at=at + HOUR)
    for one, into in ((first, second), (rated, second), (second, gils)):
        merging.merge(one.pk, into.pk, company.grace, at=at + HOUR)
    for one, score in ((first, "5"), (rated, "3")):
        assert Client().post(f"/rate/{links.token(one.pk, at + HOUR)}/", {"score": score}).status_code == 302
    given = dict(Rating.objects.exclude(score=None).values_list("conversation__subject", "score"))
    assert given == {"second": 5, "rated": 3}, "followed, but not into what is another customer's"


def test_forged_and_expired_links_say_so(company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = resolved(company, at)
    token = links.token(conversation.pk, at)
    monkeypatch.setattr("helpdesk.ratings.views.now", lambda: at + timedelta(days=15))
    for path, status, words in (
        (f"/rate/{token}/", 410, "expired"),
        (f"/rate/{token[:-1]}x/", 404, "not one of ours"),
        ("/rate/1.1:x/", 404, "not one of ours"),
    ):
        for answer in (Client().get(path), Client().post(path, {"score": "1"})):
            assert answer.status_code == status and words in answer.content.decode()
    assert Rating.objects.get().score is None
    with pytest.raises(giving.TooLate):
        giving.give(conversation.pk, 3, "", via="portal", at=at + timedelta(days=15))
    with pytest.raises(giving.NotSolved):
        giving.give(write(company.gil, at).pk, 3, "", via="portal", at=at)


def test_a_low_rating_calls_whoever_leads(company: Company, at: datetime) -> None:
    conversation = resolved(company, at)
    notes = Message.objects.filter(conversation=conversation, kind="note").order_by("-pk")
    # One click first, then the words, then fewer stars for the same words: one call, and no words are lost.
    for score, comment, written in ((2, "", 1), (2, "Too slow", 2), (1, "Too slow", 2), (1, "Much too slow", 3)):
        giving.give(conversation.pk, score, comment, via="mail", at=at)
        outbox.drain(at=at)
        assert notes.count() == written
    assert "1 of 5: “Much too slow”" in notes[0].text and "2 of 5: “Too slow”" in notes[1].text
    assert list(Mention.objects.values_list("user__email", "message")) == [("ada@demo.example", notes[2].pk)]

    ada, grace = logged_in(company.ada), logged_in(company.grace)
    page = ada.get("/desk/ratings/").content.decode()
    assert "Much too slow" in page and "Looked at" in page
    assert "Looked at" not in grace.get("/desk/ratings/").content.decode()
    look = f"/desk/ratings/{conversation.pk}/look/"
    assert (grace.post(look).status_code, ada.post(look).status_code) == (403, 302)
    rating = Rating.objects.get()
    assert rating.looked_by == company.ada and "Much too slow" not in ada.get("/desk/ratings/").content.decode()
    assert "has looked at it" in ada.get("/desk/ratings/?show=all").content.decode()
    giving.give(conversation.pk, 1, "And rude", via="mail", at=at)
    assert Rating.objects.get().looked_at is None


def test_thanks_are_shown_by_leads_and_private_ones_to_members_alone(company: Company, at: datetime) -> None:
    conversation = resolved(company, at)
    giving.give(conversation.pk, 5, "You are great", via="chat", at=at)
    show = f"/desk/ratings/{conversation.pk}/showing/"
    ada, grace = logged_in(company.ada), logged_in(company.grace)
    assert (grace.post(show, {"shown": "1"}).status_code, ada.post(show, {"shown": "1"}).status_code) == (403, 302)
    assert Rating.objects.get().is_shown
    assert "You are great" in grace.get("/desk/ratings/?show=thanks").content.decode()
    Conversation.objects.update(team=Team.objects.create(name="Board", is_private=True))
    assert "You are great" not in grace.get("/desk/ratings/?show=thanks").content.decode()
    assert grace.get("/api/v1/ratings/").json()["results"] == []
    assert grace.get(f"/api/v1/ratings/{conversation.pk}/").status_code == 404


def test_the_api_reads_and_leads_change(company: Company, at: datetime) -> None:
    first, second = resolved(company, at), resolved(company, at)
    giving.give(first.pk, 1, "Bad", via="mail", at=at)
    giving.give(second.pk, 5, "Good", via="chat", at=at)
    ada, grace = logged_in(company.ada), logged_in(company.grace)
    rows = grace.get("/api/v1/ratings/").json()["results"]
    assert [row["conversation"] for row in rows] == [second.pk, first.pk] and rows[0]["via"] == "chat"
    assert len(grace.get("/api/v1/ratings/?to_look_at=true").json()["results"]) == 1
    assert grace.get("/api/v1/ratings/?score=5").json()["results"][0]["comment"] == "Good"
    path = f"/api/v1/ratings/{first.pk}/"
    patch = {"data": {"looked": True}, "content_type": "application/json"}
    assert grace.patch(path, **patch).status_code == 403  # type: ignore[arg-type]
    assert ada.patch(path, **patch).json()["looked_by"] == company.ada.pk  # type: ignore[arg-type]
    assert ada.patch(path, {"is_shown": True}, "application/json").status_code == 400
    assert grace.post("/api/v1/ratings/", {"conversation": first.pk, "score": 5}).status_code == 405


def test_figures_by_score_team_agent_channel_and_topic(company: Company, at: datetime) -> None:
    tagged = resolved(company, at)
    conversations.change(tagged.pk, conversations.Changes(tags=["moving"]), actor=Actor.agent(company.grace), at=at)
    giving.give(tagged.pk, 5, "", via="mail", at=at)
    giving.give(resolved(company, at).pk, 2, "", via="mail", at=at)
    browser = logged_in(company.ada)
    tables = browser.get("/api/v1/reports/?from=2026-01-01&to=2026-01-31").json()["tables"]
    assert [row["count"] for row in tables["satisfaction"]["rows"]] == [1, 0, 0, 1, 0]
    assert tables["satisfaction_agents"]["rows"] == [
        {"name": "Grace Hopper", "count": 2, "good": 0.5, "average": 3.5, "low": 1}
    ]
    topics = {row["name"]: row["count"] for row in tables["satisfaction_topics"]["rows"]}
    assert topics["moving"] == 1 and topics["acme.example"] == 1
    assert tables["satisfaction_channels"]["rows"][0]["name"] == "E-mail"
    csv = b"".join(browser.get("/desk/reports/satisfaction_agents.csv?from=2026-01-01&to=2026-01-31"))
    assert b"Grace Hopper,2,0.5000,3.5000,1" in csv
    none = browser.get("/api/v1/reports/?from=2026-01-01&to=2026-01-31&team=0").json()["tables"]
    assert none["satisfaction"]["rows"] == [] or sum(r["count"] for r in none["satisfaction"]["rows"]) <= 2
