"""The words of an update in each channel: whole in a letter, as long as may be elsewhere, never without its address."""

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from status import addresses, telling_words
from status.models import Incident, IncidentUpdate
from status.telling_words import Reader


def _update(body: str = "New disks.", status: str = "investigating", **more: str) -> IncidentUpdate:
    return IncidentUpdate(body=body, status=status, **more)


INCIDENT = Incident(public_id="abcdefghijkl", name="Disks gone")
URL = addresses.incident_url("abcdefghijkl")


def test_a_letter_has_all_of_it() -> None:
    said = telling_words.text(_update("x" * 40_000), INCIDENT, Reader(12, "email", "Carol"))
    assert said.startswith("Hello Carol,\n\nthere is news about “Disks gone”, which your request #12 is about")
    assert "x" * 40_000 in said and said.endswith(URL)
    over = telling_words.text(_update(status="resolved"), INCIDENT, Reader(12, "email"))
    assert "just answer" in over and over.startswith("Hello,")


def test_markdown_is_drawn_in_letters_and_html_is_text() -> None:
    said = telling_words.html(_update("**Bold** <script>"), INCIDENT, Reader(1, "email", "<b>Carol</b>"))
    assert "<strong>Bold</strong> &lt;script&gt;" in said
    assert "Hello &lt;b&gt;Carol&lt;/b&gt;," in said and f'href="{URL}"' in said
    assert telling_words.html(_update("plain"), INCIDENT, Reader(1, "email")) == ""
    assert telling_words.html(_update("**Bold**"), INCIDENT, Reader(1, "chat")) == ""


@pytest.mark.parametrize("channel", ["chat", "telegram", "whatsapp", "facebook", "x", "mastodon", "bluesky"])
@given(body=st.text(max_size=6000), name=st.text(max_size=200), short=st.text(max_size=280))
def test_everywhere_else_it_fits_with_its_address(channel: str, body: str, name: str, short: str) -> None:

    incident = Incident(public_id="abcdefghijkl", name=name)
    said = telling_words.text(_update(body, short_text=short), incident, Reader(1, channel, "Carol"))
    assert len(said) <= settings.TOLD_CHARACTERS[channel]
    assert said.endswith(URL)


def test_the_short_text_stands_for_what_is_too_long(settings: Settings) -> None:
    settings.TOLD_CHARACTERS = {"x": 280}
    said = telling_words.text(_update("word " * 100, short_text="Disks."), INCIDENT, Reader(1, "x"))
    assert said == f"Disks gone (Investigating): Disks. {URL}"
    fits = telling_words.text(_update("Fits.", short_text="Disks."), INCIDENT, Reader(1, "x"))
    assert fits == f"Disks gone (Investigating): Fits. {URL}"
