"""Guides, as readers walk through them: a question a page, answers that are links, in the end an article or ticket."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final
from urllib.parse import urlencode

from django.db import transaction

from helpdesk.customers.models import Customer
from knowledge import addresses, changes, reading, wording
from knowledge.models import Guide, Step, Visibility
from knowledge.refusals import Refused
from knowledge.visibility import readable_articles

MOST_STEPS: Final = 300
DEEPEST: Final = 20


@dataclass(frozen=True, slots=True)
class Listed:
    """A guide in a list."""

    title: str
    about: str
    url: str


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a reader stands: what they answered so far (question, answer, address), the step, and where it leads."""

    guide: Guide
    title: str
    step: Step
    text: str
    so_far: list[tuple[str, str, str]]
    answers: list[tuple[str, str]]
    article: reading.Listed | None
    ticket: str


def readable(language: str) -> list[Listed]:
    """The public guides, in the reader's language or the one there is."""
    return [
        Listed(wording.in_language(row.titles, language), wording.in_language(row.about, language), _url(row, language))
        for row in Guide.objects.filter(visibility=Visibility.PUBLIC)
    ]


def walk(slug: str, step_id: int, language: str, customer: Customer | None, *, is_agent: bool = False) -> Walk | None:
    """The first step (`step_id` 0) or that one; None where this reader finds nothing."""
    guide = Guide.objects.filter(slug=slug).first()
    if guide is None or not (is_agent or guide.visibility == Visibility.PUBLIC):
        return None
    steps = {row.pk: row for row in guide.steps.all()[:MOST_STEPS]}
    step = steps.get(step_id) if step_id else next((row for row in steps.values() if row.parent_id is None), None)
    if step is None:
        return None
    way = _way(step, steps)
    found = None
    if step.article_id is not None:
        rows = list(readable_articles(customer).filter(pk=step.article_id))
        found = next(iter(reading.listed(rows, language)), None)
    return Walk(
        guide=guide,
        title=wording.in_language(guide.titles, language),
        step=step,
        text=wording.in_language(step.texts, language),
        so_far=[
            (
                wording.in_language(before.texts, language),
                wording.in_language(after.answers, language),
                addresses.step(before, guide.slug, language),
            )
            for before, after in pairwise(way)
        ],
        answers=[
            (wording.in_language(row.answers, language), addresses.step(row, guide.slug, language))
            for row in steps.values()
            if row.parent_id == step.pk
        ],
        article=found,
        ticket=_ticket(guide, step, way, language),
    )


def _url(row: Guide, language: str) -> str:
    return addresses.guide(row, language)


def _way(step: Step, steps: Mapping[int, Step]) -> list[Step]:
    """From the first step to this one."""
    way = [step]
    while (above := steps.get(way[-1].parent_id or 0)) is not None and len(way) < DEEPEST:
        way.append(above)
    return way[::-1]


def _ticket(guide: Guide, step: Step, way: list[Step], language: str) -> str:
    """The form, half filled in: what about, and what was answered on the way here."""
    subject = wording.in_language(step.subjects, language) or wording.in_language(guide.titles, language)
    lines = [
        f"{wording.in_language(before.texts, language)} {wording.in_language(after.answers, language)}"
        for before, after in pairwise(way)
    ]
    return f"{addresses.FORM}?" + urlencode({"subject": subject[:200], "message": "\n".join(lines)[:2000]})


@transaction.atomic
def save(guide: Guide | None, given: Mapping[str, Any], *, at: datetime) -> Guide:
    """A new guide, or changes to one. Raises Refused."""
    changes.changed(at)
    row = guide or Guide(created_at=at, position=Guide.objects.count())
    for name in ("slug", "category", "titles", "about", "visibility", "position"):
        if name in given:
            setattr(row, name, given[name])
    if not any(row.titles.values()):
        raise Refused("A guide needs a title.")
    row.slug = row.slug or _free_slug(wording.in_language(row.titles, "en"))
    row.updated_at = at
    row.save()
    if not row.steps.exists():
        Step.objects.create(guide=row, texts=dict.fromkeys(row.titles, "…"))
    return row


@transaction.atomic
def save_step(guide: Guide, step: Step | None, parent: Step | None, given: Mapping[str, Any], *, at: datetime) -> Step:
    """A step below another one, or changes to one. Raises Refused."""
    changes.changed(at)
    row = step or Step(guide=guide, parent=parent, position=parent.children.count() if parent else 0)
    if step is None and (parent is None or parent.guide_id != guide.pk or parent.kind != Step.Kind.QUESTION):
        raise Refused("An answer belongs to a question of this guide.")
    if step is None and guide.steps.count() >= MOST_STEPS:
        raise Refused(f"A guide has at most {MOST_STEPS} steps.")
    for name in ("kind", "answers", "texts", "article", "subjects", "position"):
        if name in given:
            setattr(row, name, given[name])
    if row.kind != Step.Kind.QUESTION and row.pk and row.children.exists():
        raise Refused("Answers lead on from here: it must stay a question.")
    if row.kind == Step.Kind.ARTICLE and row.article is None:
        raise Refused("Choose the article that it ends in.")
    if row.kind != Step.Kind.ARTICLE:
        row.article = None
    row.save()
    return row


@transaction.atomic
def move(row: Guide | Step, by: int, *, at: datetime) -> None:
    """Further up (-1) or down (1): a guide in the list, an answer among those of its question. At the end nothing."""
    changes.changed(at)
    rows: list[Guide | Step] = (
        list(Guide.objects.all())
        if isinstance(row, Guide)
        else list(Step.objects.filter(guide=row.guide_id, parent=row.parent_id))
    )
    place = rows.index(row)
    if 0 <= place + by < len(rows):
        rows.insert(place + by, rows.pop(place))
    for position, one in enumerate(rows):
        if one.position != position:
            one.position = position
            one.save(update_fields=["position"])


@transaction.atomic
def remove_step(step: Step, *, at: datetime) -> None:
    """With everything below it. Raises Refused for the first one."""
    changes.changed(at)
    if step.parent_id is None:
        raise Refused("A guide begins somewhere.")
    step.delete()


@transaction.atomic
def remove(guide: Guide, *, at: datetime) -> None:
    changes.changed(at)
    guide.delete()


def _free_slug(title: str) -> str:
    wanted = slug = wording.slug_of(title, "guide")
    number = 2
    while Guide.objects.filter(slug=slug).exists():
        slug, number = f"{wanted}-{number}", number + 1
    return slug
