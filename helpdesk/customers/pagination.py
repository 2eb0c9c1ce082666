"""Keyset pages: the cursor names the last row seen, so the ten-thousandth page costs what the first does."""

from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from helpdesk.numbers import is_number


class KeysetPagination(CursorPagination):
    """Newest first, by id. A cursor nobody of us made is refused."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = "-id"

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not is_number(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor


class OldestFirst(KeysetPagination):
    ordering = "id"
