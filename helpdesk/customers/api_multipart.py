"""Reading the files a stranger uploads to the API: bounded before the first byte is read."""

from collections.abc import Mapping
from typing import IO, Any

from django.core.exceptions import RequestDataTooBig
from rest_framework.parsers import MultiPartParser

LARGEST = 24 * 1024 * 1024


class BoundedMultiPartParser(MultiPartParser):
    """multipart/form-data (RFC 7578) of at most LARGEST bytes. Without a Content-Length nothing is read."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        length = (parser_context or {})["request"].META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > LARGEST:
            raise RequestDataTooBig(f"a request holds at most {LARGEST} bytes")
        return super().parse(stream, media_type, parser_context)
