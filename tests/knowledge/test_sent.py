"""What readers send: votes, comments, what is missing; and what spam meets."""

from datetime import timedelta
from secrets import token_hex
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from knowledge import commenting, searched, seen, suggesting
from knowledge.models import Article, Comment, Remark, SearchedWords, Suggested, Vote
from knowledge.voting import TooMany
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tests.knowledge.conftest import Library

pytestmark = pytest.mark.django_db
PAGE = "/kb/en/zebra-publicword/"
SAID = {"language": "en", "slug": "zebra-publicword", "name": "Uma", "email": "uma@x.example", "text": "It works."}


def _post(client: Client, library: Library, what: str, **given: str) -> Any:
    return client.post(f"/kb/articles/{library.public.pk}/{what}/", {**SAID, **given})


def token_in(page: str) -> str:
    """The one that is not empty: each form on the page has one."""
    return next(part.split('"')[0] for part in page.split('name="token" value="')[1:] if part[0] != '"')


def test_one_vote_a_reader_who_may_change_their_mind(library: Library) -> None:
    client = Client(headers={"User-Agent": "A"})
    answer = _post(client, library, "vote", helpful="1")
    assert answer.status_code == 302 and answer["Location"] == f"{PAGE}?voted=1#vote"
    _post(client, library, "vote", helpful="1")
    _post(Client(headers={"User-Agent": "B"}), library, "vote", helpful="1")
    assert list(Article.objects.filter(pk=library.public.pk).values_list("helpful", "unhelpful")) == [(2, 0)]
    _post(client, library, "vote", helpful="0")
    assert list(Article.objects.filter(pk=library.public.pk).values_list("helpful", "unhelpful")) == [(1, 1)]
    assert not Vote.objects.filter(voter__contains="127.0.0.1").exists()
    page = client.get(f"{PAGE}?voted=0").content.decode()
    assert "What is wrong or missing?" in page and "1 of 2 found this helpful" in page
    foreign = Client(headers={"Sec-Fetch-Site": "cross-site"})
    assert _post(foreign, library, "vote", helpful="1").status_code == 403
    assert _post(Client(headers={"Origin": "https://evil.example"}), library, "vote").status_code == 403
    assert client.get(f"/kb/articles/{library.public.pk}/vote/").status_code == 405


def test_a_comment_is_looked_at_twice_by_its_writer_and_once_by_us(library: Library, company: Company) -> None:
    client, start = Client(), timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        wrong = _post(client, library, "comments", email="nobody", name="")
        assert wrong.status_code == 422 and "such as name@example.org" in wrong.content.decode()
        shown = _post(client, library, "comments").content.decode()
        token = token_in(shown)
        early = _post(client, library, "comments", token=token)
        assert early.status_code == 422 and not Comment.objects.exists()
        clock.shift(timedelta(seconds=5))
        for _again in range(2):
            sent = _post(client, library, "comments", token=token)
            assert sent["Location"] == f"{PAGE}?said=comment#comments"
        one = Comment.objects.get()
        assert one.state == "waiting" and "It works." not in client.get(PAGE).content.decode()
        _post(client, library, "comments", token=token, text="Buy http://a.example http://b.example")
        _post(client, library, "comments", token=token, text="Trapped", website="x")
        assert set(Comment.objects.exclude(pk=one.pk).values_list("state", flat=True)) == {"spam"}
        clock.shift(timedelta(hours=13))
        assert _post(client, library, "comments", token=token, text="Late").status_code == 422
    agent = logged_in(company.grace)
    assert agent.post("/desk/kb/comments/", {"comment": one.pk, "state": "shown"}).status_code == 302
    page = client.get(PAGE).content.decode()
    assert "It works." in page and "uma@x.example" not in page
    assert Article.objects.get(pk=library.public.pk).comment_count == 1
    agent.post("/desk/kb/comments/", {"comment": one.pk, "state": "refused"})
    assert "It works." not in client.get(PAGE).content.decode()
    assert agent.post("/desk/kb/comments/", {"comment": one.pk, "state": "waiting"}).status_code == 404
    assert commenting.forget_spam(at=start + timedelta(days=40)) == 2


def test_comments_are_text_and_bounded(library: Library) -> None:
    at = timezone.now()
    token = commenting.token(library.public, at=at)
    hostile = commenting.Said("<b>x</b>", "a@b.example", "<script>alert(1)</script>\x00", "en")
    one = commenting.comment(
        library.public, hostile, customer=None, network="n", sent_token=token, at=at + timedelta(seconds=3)
    )
    Comment.objects.filter(pk=one.pk).update(state="shown", moderated_at=at)
    page = Client().get(PAGE).content.decode()
    assert "<script>alert" not in page and "&lt;script&gt;" in page
    with pytest.raises(commenting.Wrong):
        commenting.checked(commenting.Said("A", "a@b.example", "x" * 4001, "en"))
    later = at + timedelta(seconds=3)
    for number in range(10):
        said = commenting.Said("A", "a@b.example", f"No {number}", "en")
        try:
            commenting.comment(library.public, said, customer=None, network="n", sent_token=token, at=later)
        except TooMany:
            break
    assert 3 <= Comment.objects.count() <= 6
    with pytest.raises(commenting.TooQuick):
        commenting.check_token(library.acme, token, at=at + timedelta(seconds=9))


def test_needs_work_from_both_sides(library: Library, company: Company) -> None:
    client, start = Client(), timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        page = client.get(f"{PAGE}?voted=0").content.decode()
        token = token_in(page)
        clock.shift(timedelta(seconds=4))
        sent = _post(client, library, "remarks", token=token, text="The port is wrong.")
        assert sent["Location"] == f"{PAGE}?said=remark#vote"
    agent = logged_in(company.grace)
    agent.post(f"/desk/kb/{library.public.pk}/remarks/", {"text": "Old screenshots."})
    assert Article.objects.get(pk=library.public.pk).needs_work == 2
    assert "The port is wrong." in agent.get(f"/desk/kb/{library.public.pk}/").content.decode()
    assert "zebra publicword" in agent.get("/desk/kb/?show=work").content.decode().lower()
    for one in Remark.objects.all():
        agent.post(f"/desk/kb/{library.public.pk}/remarks/{one.pk}/settling/")
    assert Article.objects.get(pk=library.public.pk).needs_work == 0


def test_searches_are_counted_without_names(library: Library) -> None:
    client, today = Client(), timezone.now()
    for query in ("Zebra", "quagga", "QUAGGA?", "uma@x.example", "4111111111111111"):
        assert client.get("/kb/en/", {"q": query}).status_code == 200
    assert {(row.words, row.times, row.found > 0) for row in SearchedWords.objects.all()} == {
        ("zebra", 1, True),
        ("quagga", 2, False),
    }
    assert [(one.words, one.times) for one in searched.in_vain(since=today.date())] == [("quagga", 2)]
    assert searched.forget(at=today + timedelta(days=500)) == 2


def test_deflection_is_counted_honestly(library: Library, company: Company) -> None:
    client, at = Client(), timezone.now()
    helped, wrote, left = (token_hex(16) for _ in range(3))
    for asking in (helped, wrote, left):
        said = {"asking": asking, "article": library.public.pk, "where": "form", "what": "shown"}
        assert client.post("/kb/suggested", said).status_code == 204
    for asking in (helped, wrote):
        for what in ("opened", "answered"):
            said = {"asking": asking, "article": library.public.pk, "what": what}
            assert client.post("/kb/suggested", said).status_code == 204
    conversation = write(company.carol, at, subject="All the same")
    assert suggesting.note_written(wrote, conversation) == 1
    (told,) = suggesting.deflected(at - timedelta(days=1))
    assert (told.suggested, told.opened, told.answered, told.written) == (3, 2, 1, 1)
    for bad in ({"what": "x"}, {"what": "shown", "where": "desk"}, {"what": "shown", "where": "form", "asking": "!"}):
        assert client.post("/kb/suggested", {"asking": helped, "article": "1", **bad}).status_code == 400
    for number in ("9" * 30, "9" * 5000, "x"):
        said = {"asking": left, "article": number, "what": "opened"}
        assert client.post("/kb/suggested", said).status_code == 204
    client.post("/kb/suggested", {"asking": left, "article": library.internal.pk, "where": "form", "what": "shown"})
    assert not Suggested.objects.filter(article=library.internal).exists()


def test_readers_are_counted(library: Library) -> None:
    seen.write()
    for _time in range(3):
        Client().get(PAGE)
    assert seen.write() == 1 and seen.write() == 0
    assert Article.objects.get(pk=library.public.pk).views == 3
