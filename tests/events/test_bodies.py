"""How much of a call from outside is read."""

import pytest
from django.test import RequestFactory

from helpdesk.events.bodies import body_of


@pytest.mark.parametrize("announced", ["3", "", None])
def test_a_body_is_read_up_to_its_limit_however_it_comes(rf: RequestFactory, announced: str | None) -> None:
    request = rf.generic("POST", "/", b"abc")
    if announced is None:
        del request.META["CONTENT_LENGTH"]  # in chunks
    else:
        request.META["CONTENT_LENGTH"] = announced
    assert body_of(request, 3) == b"abc" and body_of(request, 2) is None


@pytest.mark.parametrize("announced", ["4", "x", "-1", "²", "9" * 30])
def test_one_that_says_it_is_longer_is_not_read(rf: RequestFactory, announced: str) -> None:
    request = rf.generic("POST", "/", b"abc", headers={"Content-Length": announced})
    request.META["CONTENT_LENGTH"] = announced
    assert body_of(request, 3) is None and not hasattr(request, "_body")


def test_no_body_is_an_empty_one(rf: RequestFactory) -> None:
    assert body_of(rf.generic("POST", "/"), 3) == b""
