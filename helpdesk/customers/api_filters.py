"""Filters the API's lists share."""

from typing import Any

import django_filters

from helpdesk.numbers import LARGEST_ID


class IdFilter(django_filters.NumberFilter):  # type: ignore[misc]
    """An id; one beyond 64 bits is refused instead of reaching the database."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=LARGEST_ID, decimal_places=0, **options)
