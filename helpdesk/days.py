"""Days as people write them: how, is said by the catalogues of words, language by language."""

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import pgettext


def long_day(on: date, *, with_year: bool = False) -> str:
    """`Sunday 22 November`."""
    # Translators: l is the weekday, j the day, F the month, Y the year, all else stands as it is, letters with a \.
    pattern = pgettext("how a day is written", "l j F Y") if with_year else pgettext("how a day is written", "l j F")
    return date_format(on, pattern)


def short_day(on: date) -> str:
    """`Sun 22 Nov`."""
    return date_format(on, pgettext("how a day is written", "D j M"))


def short_date(on: date) -> str:
    """`22 Nov 2026`."""
    return date_format(on, pgettext("how a day is written", "j M Y"))
