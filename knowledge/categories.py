"""The tree of categories."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from knowledge import changes, wording
from knowledge.models import Category
from knowledge.refusals import Refused

DEEPEST: Final = 5


@transaction.atomic
def save(category: Category | None, given: Mapping[str, Any], *, at: datetime) -> Category:
    """A new one, or changes to one that there is. An empty slug is made of its name. Raises Refused."""
    changes.changed(at)
    row = category or Category()
    for name in ("parent", "slug", "names", "about", "icon", "position"):
        if name in given:
            setattr(row, name, given[name])
    if not any(row.names.values()):
        raise Refused("A category needs a name.")
    if not row.slug:
        row.slug = _free_slug(wording.in_language(row.names, "en"), row)
    elif Category.objects.filter(slug=row.slug).exclude(pk=row.pk).exists():
        raise Refused("Another category has this address.")
    _check_place(row)
    row.save()
    return row


@transaction.atomic
def remove(category: Category, *, at: datetime) -> None:
    """Raises ProtectedError while anything lies in it."""
    changes.changed(at)
    category.delete()


def _free_slug(name: str, row: Category) -> str:
    wanted = slug = wording.slug_of(name, "category")
    number = 2
    while Category.objects.filter(slug=slug).exclude(pk=row.pk).exists():
        slug, number = f"{wanted}-{number}", number + 1
    return slug


def _check_place(row: Category) -> None:
    above, depth = row.parent, 1
    while above is not None:
        if above.pk == row.pk:
            raise Refused("A category cannot lie in itself.")
        above, depth = above.parent, depth + 1
        if depth > DEEPEST:
            raise Refused(f"Categories lie at most {DEEPEST} deep.")


@dataclass(frozen=True, slots=True)
class Branch:
    """A category with those in it; `count` articles of all of them, as far as the asker may read them."""

    category: Category
    children: "list[Branch]"
    count: int


def tree(counts: Mapping[int, int]) -> list[Branch]:
    """All categories; `counts` are the readable articles by category's id. In one statement."""
    rows = list(Category.objects.all())
    below: dict[int | None, list[Category]] = {}
    for row in rows:
        below.setdefault(row.parent_id, []).append(row)

    def branches(parent: int | None, depth: int) -> list[Branch]:
        made = []
        for row in below.get(parent, []) if depth <= DEEPEST + 1 else []:
            children = branches(row.pk, depth + 1)
            made.append(Branch(row, children, counts.get(row.pk, 0) + sum(child.count for child in children)))
        return made

    return branches(None, 1)


def path_to(category: Category) -> list[Category]:
    """From the top down to it."""
    found, one = [category], category.parent
    while one is not None and len(found) <= DEEPEST:
        found.append(one)
        one = one.parent
    return found[::-1]
