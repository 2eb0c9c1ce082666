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
    refused: list[str] = []
    for path in files:
        found = parse(path.read_bytes())
        assert_storable(found)
        assert not [words for words in found.defects if words.startswith("unreadable")], path
        if found.html:
            safe = sanitize(found.html)
            assert sanitize(safe.html).html == safe.html, path
            assert safe.html.strip() or safe.notice or not found.text.strip(), path
            refused += [path.name] if safe.notice else []
    # 400 kB of divs that are never closed.
    assert refused in ([], ["mail_with_html_part_no_html_content.eml"])


@pytest.mark.parametrize(
    ("name", "attachments"),
    [
        ("chatwoot/email_with_inline_pdf.eml", [("dummy.pdf", "application/pdf", False)]),
        ("enmime/testdata/mail/attachment.raw", [("test.html", "text/html", False)]),
        ("enmime/testdata/mail/attachment-only.raw", [("favicon.jpg", "image/png", False)]),
        ("enmime/testdata/mail/html-mime-inline.raw", [("favicon.png", "image/png", True)]),
        (
            "enmime/testdata/mail/inlinemultipart.raw",
            [("test.pdf", "application/pdf", False), ("test.txt", "text/plain", False)],
        ),
        ("enmime/testdata/mail/mime-bad-8bit-filename.raw", [("\u7ba1\u7406.doc", "text/html", False)]),
        ("enmime/testdata/mail/mime-signed.raw", [("signature.asc", "application/pgp-signature", False)]),
        ("flanker/fixtures/messages/enclosed-endless.eml", [("thanks.eml", "message/rfc822", False)]),
        (
            "mikel-mail/emails/attachment_emails/attachment_message_rfc822_inline_image.eml",
            [("img.png", "image/png", True), ("Testmail.eml", "message/rfc822", False)],
        ),
        (
            "mikel-mail/emails/attachment_emails/attachment_with_quoted_filename.eml",
            [("Eelanalüüsi päring.jpg", "image/jpeg", False)],
        ),
        (
            "mikel-mail/emails/attachment_emails/attachment_with_base64_encoded_name.eml",
            [("This is a test.pdf", "application/pdf", False)],
        ),
    ],
)
def test_attachments_of_the_corpora(name: str, attachments: list[tuple[str, str, bool]]) -> None:
    found = parse((CORPORA / name).read_bytes())
    assert [(part.name, part.content_type, part.inline) for part in found.attachments] == attachments
