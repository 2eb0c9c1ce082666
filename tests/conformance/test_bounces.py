"""Gate: the corpus of flufl.bounce (115 real bounces of 20 mail systems), and ordinary mail of other corpora.

At least 114 of the 115 must come out with exactly the expected recipients and as temporary or permanent as expected.
"""

import json
from pathlib import Path

import pytest

from tickets.mail.bounces import read_bounce
from tickets.mail.parsing import parse

CORPORA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "mail"
REPORTS = (
    "chatwoot/bounced_with_no_from.eml",
    "enmime/dsn/",
    "enmime/testdata/mail/multipart-wo-boundary.raw",
    "flanker/fixtures/messages/bounce/",
    "mikel-mail/emails/mime_emails/raw_email_with_mimepart_without_content_type.eml",
    "mikel-mail/emails/multipart_report_emails/",
)
"""What the other corpora hold of delivery reports."""

pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="the mail corpora are not at ../shared/data/mail")


def test_flufl_corpus() -> None:
    corpus = CORPORA / "flufl-bounce"
    expected = json.loads((corpus / "expected.json").read_text())
    wrong = {}
    for name, said in expected.items():
        raw = (corpus / "tests" / "data" / name).read_bytes()
        bounce = read_bounce(raw, parse(raw))
        found = {(one.address, one.permanent) for one in bounce.recipients} if bounce else set()
        if found != {(address.lower(), not said["temporary"]) for address in said["recipients"]}:
            wrong[name] = found
    assert len(expected) == 115
    assert len(wrong) <= 1, wrong


def test_other_corpora() -> None:
    taken, missed = [], []
    mails = [path for path in sorted(CORPORA.rglob("*")) if path.suffix in (".eml", ".raw")]
    for path in mails:
        name = str(path.relative_to(CORPORA))
        raw = path.read_bytes()
        is_bounce = read_bounce(raw, parse(raw)) is not None
        if is_bounce and not name.startswith(REPORTS):
            taken.append(name)
        if not is_bounce and name.startswith(REPORTS):
            missed.append(name)
    assert len(mails) >= 290
    assert (taken, missed) == ([], [])
