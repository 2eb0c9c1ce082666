"""Articles of every kind of visibility."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pytest
from django.utils import timezone

from helpdesk import limits
from helpdesk.customers.models import Organization, Plan
from knowledge import articles, categories
from knowledge.articles import Text
from knowledge.models import Article, Category
from tests.fixtures.company import Company


@pytest.fixture(autouse=True)
def nobody_has_asked_yet() -> Iterator[None]:
    limits.forget()
    yield
    limits.forget()


@dataclass(frozen=True)
class Library:
    """One article of each kind; each has its own word besides the one all have, `zebra`."""

    category: Category
    public: Article
    acme: Article
    plan: Article
    internal: Article
    draft: Article


WORDS = {
    "public": "publicword",
    "acme": "acmeword",
    "plan": "planword",
    "internal": "internalword",
    "draft": "draftword",
}


@pytest.fixture
def library(company: Company) -> Library:
    at = timezone.now()
    category = categories.save(None, {"names": {"en": "Animals", "de": "Tiere"}, "slug": "animals"}, at=at)
    acme = company.carol.organization
    assert acme is not None
    return Library(
        category,
        _made("public", "public", company, category, at),
        _made("acme", "public", company, category, at, organizations=[acme]),
        _made("plan", "public", company, category, at, plans=[Plan.objects.get(name="Enterprise")]),
        _made("internal", "internal", company, category, at),
        _made("draft", "draft", company, category, at),
    )


def _made(
    name: str, visibility: str, company: Company, category: Category, at: datetime,
    organizations: list[Organization] | None = None, plans: list[Plan] | None = None,
) -> Article:  # fmt: skip
    text = Text(f"Zebra {WORDS[name]}", f"All of a zebra's {WORDS[name]}.")
    return articles.create(
        text, visibility=visibility, category=category, organizations=organizations or (), plans=plans or (),
        author=company.ada, at=at,
    )  # fmt: skip
