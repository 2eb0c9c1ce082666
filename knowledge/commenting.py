"""Comments: shown once one of us has read them. Spam is kept out without anybody else's help: a field that only
programs fill in, a form that must have been open for a moment, limits, and a look at the links.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.customers.models import Customer, User
from helpdesk.events.safe_text import one_line, storable
from helpdesk.limits import Limit, take
from knowledge import changes
from knowledge.models import Article, Comment
from knowledge.voting import TooMany

LONGEST_NAME: Final = 80
LONGEST_TEXT: Final = 4_000
LONGEST_EMAIL: Final = 254
COMMENTS_OF_NETWORK: Final = Limit(5, 10 / 3600)
# What waits to be read is bounded, whatever comes.
MOST_WAITING: Final = 2_000
QUICKEST: Final = timedelta(seconds=2)
LONGEST: Final = timedelta(hours=12)
SPAM_KEPT: Final = timedelta(days=30)
MOST_LINKS: Final = 1
_SALT: Final = "knowledge.comment"
_LINK: Final = re.compile(r"https?://|www\.|\[url|<a\s", re.IGNORECASE)


class Wrong(ValueError):
    """What was typed cannot be taken: words by field."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields


class TooQuick(ValueError):
    """Nobody reads and types that fast, or the form has lain open for very long."""


@dataclass(frozen=True, slots=True)
class Said:
    """A comment as it was typed. `trap` is what stood in the field that nobody sees."""

    name: str
    email: str
    text: str
    language: str
    trap: str = ""


def token(article: Article, *, at: datetime) -> str:
    """Says since when the form is open, and for which article."""
    return signing.dumps([article.pk, int(at.timestamp())], salt=_SALT)


def checked(said: Said) -> Said:
    """What may be kept of it. Raises Wrong."""
    name, text = one_line(said.name, LONGEST_NAME), storable(said.text.strip(), LONGEST_TEXT + 1)
    email, wrong = said.email.strip()[: LONGEST_EMAIL + 1], dict[str, str]()
    if not name:
        wrong["name"] = _("Please say what to call you.")
    try:
        validate_email(email)
    except ValidationError:
        wrong["email"] = _("Please write an e-mail address, such as name@example.org.")
    if len(email) > LONGEST_EMAIL:
        wrong["email"] = _("This address is too long.")
    if not text:
        wrong["text"] = _("There is nothing written here yet.")
    elif len(text) > LONGEST_TEXT:
        wrong["text"] = _("This is too long for a comment: please write us a ticket.")
    if wrong:
        raise Wrong(wrong)
    return Said(name, email, text, said.language, said.trap)


def check_token(article: Article, given: str, *, at: datetime) -> None:
    """Raises TooQuick where the form was not open for a person's time."""
    try:
        article_id, since = signing.loads(given[:200], salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise TooQuick("it is not of this form") from error
    age = at.timestamp() - since
    if article_id != article.pk or not QUICKEST.total_seconds() <= age <= LONGEST.total_seconds():
        raise TooQuick("it was not open for long enough, or for too long")


@transaction.atomic
def comment(
    article: Article, said: Said, *, customer: Customer | None, network: str, sent_token: str, at: datetime
) -> Comment:
    """Keep it until somebody has read it. The same twice is one. Raises Wrong, TooQuick, TooMany."""
    said = checked(said)
    check_token(article, sent_token, at=at)
    if take(COMMENTS_OF_NETWORK, f"comment:{network}"):
        raise TooMany
    waiting = Comment.objects.filter(state__in=(Comment.State.WAITING, Comment.State.SPAM))
    if waiting[: MOST_WAITING + 1].count() > MOST_WAITING:
        raise TooMany
    again = article.comments.filter(email=said.email, text=said.text, at__gt=at - timedelta(days=1)).first()
    if again is not None:
        return again
    why = suspicion(said)
    return Comment.objects.create(
        article=article,
        language=said.language,
        name=said.name,
        email=said.email,
        text=said.text,
        customer=customer,
        state=Comment.State.SPAM if why else Comment.State.WAITING,
        suspicion=why,
        at=at,
    )


def suspicion(said: Said) -> str:
    """Why it is probably spam; "" where it is not."""
    if said.trap:
        return "a field was filled in that nobody sees"
    if len(_LINK.findall(said.text)) > MOST_LINKS:
        return "it has several links"
    if _LINK.search(said.name):
        return "the name is a link"
    return ""


@transaction.atomic
def moderate(comment: Comment, state: str, by: User, *, at: datetime) -> Comment:
    """Show it, refuse it, or call it spam. Raises ValueError for another state."""
    if state not in (Comment.State.SHOWN, Comment.State.REFUSED, Comment.State.SPAM):
        raise ValueError("a comment is shown, refused or spam")
    changes.changed(at)
    row = Comment.objects.select_for_update().get(pk=comment.pk)
    row.state, row.moderated_by, row.moderated_at = state, by, at
    row.save(update_fields=["state", "moderated_by", "moderated_at"])
    shown = Comment.objects.filter(article=row.article_id, state=Comment.State.SHOWN).count()
    Article.objects.filter(pk=row.article_id).update(comment_count=shown)
    return row


def forget_spam(*, at: datetime) -> int:
    """Remove spam that has lain for long; how much it was."""
    return Comment.objects.filter(state=Comment.State.SPAM, at__lt=at - SPAM_KEPT).delete()[0]
