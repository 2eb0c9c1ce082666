"""Days are written as people of each language write them."""

from datetime import date

from django.utils.translation import override

from helpdesk.days import long_day, short_date, short_day

SUNDAY = date(2026, 11, 22)


def test_days_in_words() -> None:
    assert long_day(SUNDAY, with_year=True) == "Sunday 22 November 2026"
    assert (short_day(SUNDAY), short_date(SUNDAY)) == ("Sun 22 Nov", "22 Nov 2026")
    with override("de"):
        assert long_day(SUNDAY) == "Sonntag, 22. November"
        assert (short_day(SUNDAY), short_date(SUNDAY)) == ("So, 22. Nov.", "22. Nov. 2026")
    with override("es"):
        assert long_day(SUNDAY, with_year=True) == "domingo, 22 de noviembre de 2026"
