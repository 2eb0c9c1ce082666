"""The company this installation belongs to: one row, made by the first-run wizard or with the first change."""

from collections.abc import Mapping
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

DEFAULT_NAME = "Helpdesk"


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


def save_company(fields: Mapping[str, Any]) -> Company:
    """Write it; `fields` are columns."""
    row = company()
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()
    return row
