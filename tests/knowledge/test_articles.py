"""Writing articles: versions, addresses, who reads them."""

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from helpdesk.customers.models import User
from knowledge import articles, searching
from knowledge.articles import Text
from knowledge.models import Article, KnowledgeBase, Redirect, Translation, Version, Visibility, Vote
from knowledge.refusals import Overtaken, Refused
from tests.fixtures.company import Company

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(company: Company) -> User:
    return company.ada


def publish(title: str, body: str = "Text.", *, at: datetime, language: str = "en", **given: object) -> Translation:
    article = articles.create(
        Text(title, body, language),
        visibility=Visibility.PUBLIC,
        author=None,
        at=at,
        **given,  # type: ignore[arg-type]
    )
    return article.translations.get()


def test_every_save_is_a_version_and_an_older_one_can_come_back(ada: User, at: datetime) -> None:
    article = articles.create(Text("Moving a domain", "Unlock it."), author=ada, at=at)
    row = articles.write(article, Text("Moving a domain", "Unlock it first."), author=ada, at=at)
    assert articles.write(article, Text("Moving a domain", "Unlock it first."), author=ada, at=at).version == 2
    with pytest.raises(Overtaken) as told:
        articles.write(article, Text("Moving", "Late."), author=ada, at=at, base=1)
    assert told.value.current == 2
    row = articles.restore(row, 1, author=ada, at=at)
    assert (row.version, row.body) == (3, "Unlock it.")
    assert [(one.number, one.restored_from) for one in row.versions.all()] == [(3, 1), (2, None), (1, None)]
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Version.objects.filter(number=1).update(body="never said")


def test_a_new_title_is_a_new_address_that_the_old_one_leads_to(at: datetime) -> None:
    row = publish("Änderung der DNS-Einträge", at=at, language="de")
    assert row.slug == "aenderung-der-dns-eintraege"
    row = articles.write(row.article, Text("DNS ändern", "Text.", "de"), author=None, at=at)
    assert Redirect.objects.get().slug == "aenderung-der-dns-eintraege"
    # Back again: an address is never both.
    row = articles.write(row.article, Text("Änderung der DNS-Einträge", "Text.", "de"), author=None, at=at)
    assert list(Redirect.objects.values_list("slug", flat=True)) == ["dns-aendern"]
    # Another article takes over an address that only leads on, and gets a number where it is in use.
    assert publish("DNS ändern", at=at, language="de").slug == "dns-aendern"
    assert publish("DNS ändern", at=at, language="de").slug == "dns-aendern-2"
    assert publish("漢字", at=at).slug == "article" and publish("c", at=at).slug == "article-c"


def test_public_needs_no_hand_to_know_since_when(ada: User, at: datetime) -> None:
    article = articles.create(Text("T", "B"), author=ada, at=at)
    assert article.published_at is None and not article.translations.get().is_open
    later = at + timedelta(days=1)
    article = articles.change(article, {"visibility": "public"}, at=later)
    assert article.published_at == later and article.translations.get().is_open
    article = articles.change(article, {"visibility": "internal"}, at=later + timedelta(days=1))
    assert article.published_at == later and not article.translations.get().is_open
    for given in ({"visibility": "secret"}, {"helpful": 3}):
        with pytest.raises(Refused):
            articles.change(article, given, at=later)
    for text in (Text(" \n", "B"), Text("T", "B", "tlh"), Text("T", "x" * 100_001)):
        with pytest.raises(Refused):
            articles.write(article, text, author=ada, at=at)


def test_readers_know_that_something_changed(at: datetime) -> None:
    row = publish("T", at=at)
    before = KnowledgeBase.objects.get().version
    articles.write(row.article, Text("T", "New."), author=None, at=at)
    assert KnowledgeBase.objects.get().version > before


def test_votes_are_counted_by_the_table_itself(at: datetime) -> None:
    one, other = publish("One", at=at).article, publish("Other", at=at).article
    Vote.objects.bulk_create(
        Vote(article=article, voter=str(n), is_helpful=n % 3 > 0, at=at) for n in range(9) for article in (one, other)
    )
    Vote.objects.filter(article=one, voter="0").update(is_helpful=True)
    Vote.objects.filter(article=other, voter__in=["1", "3"]).delete()
    assert list(Article.objects.order_by("pk").values_list("helpful", "unhelpful")) == [(7, 2), (5, 2)]


def test_search_finds_words_in_any_order_form_and_spelling(at: datetime) -> None:
    ssl = publish("Renewing an SSL certificate", "Let's Encrypt renews it.", at=at)
    sftp = publish("Connecting by SFTP", "You need a key for port 22. Certificates are of no use.", at=at)
    german = publish("E-Mail-Postfach einrichten", "Mit IMAP auf Port 993.", at=at, language="de")
    articles.create(Text("Certificate of the boss", "secret"), visibility="internal", author=None, at=at)
    articles.create(Text("Certificate draft", "secret"), author=None, at=at)

    def found(query: str, language: str = "en") -> list[int]:
        return [hit.translation_id for hit in searching.for_reader(query, language, None).hits]

    assert found("certificates renewed")[0] == ssl.pk
    assert found("certificate") == [ssl.pk, sftp.pk]  # headings first
    assert found("certifcate renwing")[0] == ssl.pk
    assert found("postfachs", "de") == [german.pk]
    assert found("imap") == [german.pk]
    assert found("sft") == [sftp.pk]
    assert found("please help, how do I connect with sftp??")[0] == sftp.pk
    assert found("boss") == found("secret") == found("zzzz") == found("  &|!():* ' \\ ") == found("\x00") == []
    assert "\ue000" in searching.for_reader("encrypt", "en", None).hits[0].excerpt
    assert searching.for_agent("boss", "en").count == 1
