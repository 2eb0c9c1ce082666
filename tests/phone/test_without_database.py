"""The database is away or hangs: a caller hears a greeting all the same. No test here may touch it."""

import threading
from datetime import datetime
from xml.etree import ElementTree

import pytest
from django.db import OperationalError

from phone import keeping
from tests.fixtures.phone import tell
from tests.fixtures.providers.twilio import TwilioServer


def test_a_caller_hears_a_greeting_all_the_same(
    twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch, at: datetime
) -> None:
    """Everything else says "not now"; the key that could not be noted is asked for again."""

    def away(seconds: float, work: object) -> object:
        raise keeping.NotNow("the database is away")

    monkeypatch.setattr(keeping, "within", away)
    verbs = ElementTree.fromstring(tell(twilio.ring(), at).content)
    assert [verb.tag for verb in verbs] == ["Say", "Record", "Say", "Hangup"]
    assert tell(twilio.text("Hello"), at).status_code == 503
    pressed = twilio.hook("/hooks/twilio/voice/?page=1", {"CallSid": "CA1", "To": "+4915123456789", "Digits": "1"})
    answer = tell(pressed, at)
    assert answer.status_code == 200 and b"<Gather" in answer.content and b"Acknowledged" not in answer.content


def test_what_hangs_is_not_waited_for_and_what_failed_is_done_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "AGAIN_AFTER_SECONDS", 0.5)
    hangs, done, tries = threading.Event(), threading.Event(), []

    def fails_once() -> str:
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError("away")
        done.set()
        return "kept"

    with pytest.raises(keeping.NotNow):
        keeping.within(0.01, hangs.wait)
    with pytest.raises(keeping.NotNow):
        keeping.within(5, fails_once)
    assert done.wait(10) and len(tries) == 2
    hangs.set()
    assert keeping.within(10, lambda: "at once") == "at once"
