"""Every mail of the corpora of other mail libraries: read without an exception, storable, sanitised."""

from pathlib import Path

import pytest

from tests.tickets.mail.storable import assert_storable
from tickets.mail.parsing import parse
from tickets.mail.sanitize import sanitize

CORPORA = Path(__file__).parents[3] / "shared" / "data" / "mail"
pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora of ../shared/data/mail are not here")
NAMES = ("chatwoot", "crisp", "django-helpdesk", "enmime", "flanker", "flufl-bounce", "mikel-mail", "talon", "zapier")


@pytest.mark.parametrize("corpus", NAMES)
def test_every_file_is_read(corpus: str) -> None:
    files = [path for path in sorted((CORPORA / corpus).rglob("*")) if path.is_file()]
    assert files
    for path in files:
        found = parse(path.read_bytes())
        assert_storable(found)
        assert not [words for words in found.defects if words.startswith("unreadable")], path
        if found.html:
            safe = sanitize(found.html)
            assert bool(safe.html.strip()) or safe.notice or not found.text.strip() or "<body" in found.html, path
            assert not safe.notice or safe.html == "", path
            assert safe.notice or sanitize(safe.html) == safe, path


@pytest.mark.parametrize(
    ("name", "attachments"),
    [
        ("enmime/testdata/mail/attachment.raw", ["test.html"]),
        ("enmime/testdata/mail/attachment-octet.raw", ["ATTACHMENT.EXE"]),
        ("enmime/testdata/mail/mime-bad-8bit-filename.raw", None),
        ("mikel-mail/emails/attachment_emails/attachment_content_disposition.eml", ["hello.rb"]),
        ("mikel-mail/emails/attachment_emails/attachment_message_rfc822.eml", None),
        ("mikel-mail/emails/attachment_emails/attachment_with_encoded_name.eml", None),
        ("flanker/fixtures/messages/enclosed-endless.eml", None),
    ],
)
def test_attachments_the_corpora_name(name: str, attachments: list[str] | None) -> None:
    found = parse((CORPORA / name).read_bytes())
    assert [part.name for part in found.attachments] == attachments
