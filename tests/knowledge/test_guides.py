"""Guides: written on the desk, put in order, walked through by readers to an article or a ticket half written."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils.timezone import now

from knowledge import guides
from knowledge.models import Guide, Step
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in
from tests.knowledge.conftest import Library

pytestmark = pytest.mark.django_db


def _answers(guide: Guide) -> list[str]:
    walk = guides.walk(guide.slug, 0, "en", None, is_agent=True)
    assert walk
    return [words for words, _url in walk.answers]


def test_written_ordered_and_walked(library: Library, company: Company) -> None:
    desk = logged_in(company.linus)
    for title in ("Mail", "Website"):
        desk.post("/desk/kb/guides/new/", {"title_en": title, "visibility": "public"})
    mail, website = Guide.objects.order_by("pk")
    first = website.steps.get()
    root = f"/desk/kb/guides/{website.pk}/"
    desk.post(f"{root}steps/", {"step": first.pk, "kind": "question", "text_en": "What do you see?"})
    said = {"parent": first.pk}
    desk.post(f"{root}steps/", {**said, "kind": "article", "answer_en": "A zebra", "article": library.public.pk})
    desk.post(f"{root}steps/", {**said, "kind": "ticket", "answer_en": "Nothing"})
    desk.post(f"{root}steps/", {**said, "kind": "ticket", "answer_en": "Something"})
    assert _answers(website) == ["A zebra", "Nothing", "Something"]

    zebra, nothing, _something = first.children.all()
    desk.post(f"{root}moving/", {"step": nothing.pk, "by": "up"})
    desk.post(f"{root}moving/", {"step": nothing.pk, "by": "up"})
    desk.post(f"{root}moving/", {"step": zebra.pk, "by": "down"})
    assert _answers(website) == ["Nothing", "Something", "A zebra"]
    desk.post(f"{root}moving/", {"by": "up"})
    assert list(Guide.objects.all()) == [website, mail]
    assert desk.post(f"{root}moving/", {"step": mail.steps.get().pk, "by": "up"}).status_code == 404

    desk.post(
        f"{root}steps/", {"step": nothing.pk, "kind": "ticket", "answer_en": "Nothing", "subject_en": "A white page"}
    )
    walk = guides.walk(website.slug, nothing.pk, "en", None)
    assert walk and walk.article is None
    given = parse_qs(urlsplit(walk.ticket).query)
    assert given == {"subject": ["A white page"], "message": ["What do you see? Nothing"]}
    page = Client().get(f"/kb/en/guides/{website.slug}/{zebra.pk}/").content.decode()
    assert "/kb/en/zebra-publicword/" in page and "What do you see?" in page


def test_whom_an_article_is_closed_to_is_not_led_there(library: Library) -> None:
    guide = guides.save(None, {"titles": {"en": "Zebras"}, "visibility": "public"}, at=now())
    given = {"kind": Step.Kind.ARTICLE, "answers": {"en": "A closed one"}, "article": library.internal}
    step = guides.save_step(guide, None, guide.steps.get(), given, at=now())
    walk = guides.walk("zebras", step.pk, "en", None)
    assert (
        walk
        and walk.article is None
        and "internalword" not in Client().get(f"/kb/en/guides/zebras/{step.pk}/").content.decode()
    )
