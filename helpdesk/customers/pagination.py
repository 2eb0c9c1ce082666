"""Keyset pages: the cursor names the last row seen, so the ten-thousandth page costs what the first does."""

from rest_framework.pagination import CursorPagination


class KeysetPagination(CursorPagination):
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = "-id"
