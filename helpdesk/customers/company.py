"""The company this installation belongs to: one row, made by the first-run wizard or with the first change."""

from collections.abc import Mapping
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.cache import caches
from django.db import DatabaseError, models, transaction

DEFAULT_NAME = "Helpdesk"
# Every page says the name, so each process asks for it that seldom.
REMEMBERED_SECONDS = 20
NAMES = "company.names"


class Company(models.Model):
    """`languages` are those customers may be written to in, the first one where nothing else is known."""

    name = models.CharField(max_length=120, default=DEFAULT_NAME)
    logo_text = models.CharField(max_length=40, blank=True, help_text="What stands where others have a logo.")
    languages = ArrayField(models.CharField(max_length=10), default=list)

    class Meta:
        verbose_name_plural = "companies"
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="there_is_one_company")]

    def __str__(self) -> str:
        return self.name


def company() -> Company:
    """The company; not saved yet where nobody has named it."""
    return Company.objects.filter(pk=1).first() or Company(pk=1, languages=["en"])


def names() -> tuple[str, str]:
    """The company's name and what stands where others have a logo; both empty where nobody has named it.

    Another process's change is seen within REMEMBERED_SECONDS.
    """
    known: tuple[str, str] | None = caches["process"].get(NAMES)
    if known is None:
        try:
            row = company()
        except DatabaseError:
            # The page that says that something went wrong says it without the database as well.
            return "", ""
        name = "" if row.name == DEFAULT_NAME else row.name
        known = (name, row.logo_text or name)
        caches["process"].set(NAMES, known, REMEMBERED_SECONDS)
    return known


def forget_names() -> None:
    """They are asked for anew."""
    caches["process"].delete(NAMES)


def save_company(fields: Mapping[str, Any]) -> Company:
    """Write it; `fields` are columns."""
    row = company()
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()
    forget_names()
    # Somebody may have asked between then and the end of the transaction.
    transaction.on_commit(forget_names)
    return row
