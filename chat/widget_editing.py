"""What a widget's settings allow: where it may be, and the secrets its page signs with."""

import re
import secrets as randomness
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from chat.models import Widget, WidgetSecret
from helpdesk.customers import audit
from helpdesk.customers.models import User
from helpdesk.events import secrets

MOST_ORIGINS: Final = 50
# One signs, the other still holds until every server has the new one.
MOST_SECRETS: Final = 2
_HOST: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_KID: Final = re.compile(r"[A-Za-z0-9._-]{1,40}")
_PORTS: Final = {"http": 80, "https": 443}


class CannotChange(ValueError):
    """What was asked for cannot be; the words say why, for whoever asked."""


def new_key() -> str:
    """A public key; unguessable only so that nobody tries others' widgets out."""
    return f"pk_{randomness.token_hex(12)}"


def clean_origins(given: Iterable[str]) -> list[str]:
    """Origins as browsers send them (RFC 6454 §6.2), each once. Raises CannotChange."""
    found = list(dict.fromkeys(_origin(one) for one in given))
    if len(found) > MOST_ORIGINS:
        raise CannotChange(_("At most %(most)s origins.") % {"most": MOST_ORIGINS})
    return found


def _origin(text: str) -> str:
    wrong = CannotChange(_("“%s” is no origin: write it as https://www.example.com.") % text[:100])
    try:
        parts = urlsplit(text.strip()[:300])
        port, host = parts.port, (parts.hostname or "").encode("idna").decode()
    except (ValueError, UnicodeError):
        raise wrong from None
    if parts.scheme not in _PORTS or not _HOST.fullmatch(host) or parts.username or parts.query or parts.fragment:
        raise wrong
    if parts.path not in ("", "/"):
        raise wrong
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != _PORTS[parts.scheme] else "")


@transaction.atomic
def add_secret(widget: Widget, kid: str, user: User, *, at: datetime) -> str:
    """A new secret under a name (`kid` of a token's header); it is returned once. Raises CannotChange."""
    Widget.objects.select_for_update().get(pk=widget.pk)
    kid = kid.strip() or f"{at:%Y-%m-%d}-{randomness.token_hex(2)}"
    if not _KID.fullmatch(kid):
        raise CannotChange(_("A secret's name has letters, digits, dots, dashes and underscores, 40 at most."))
    known = list(widget.secrets.values_list("kid", flat=True))
    if kid in known:
        raise CannotChange(_("There is a secret of this name already."))
    if len(known) >= MOST_SECRETS:
        raise CannotChange(_("Two secrets hold already: remove one first."))
    secret = f"sk_{randomness.token_urlsafe(32)}"
    WidgetSecret.objects.create(widget=widget, kid=kid, sealed=secrets.encrypt(secret), created_at=at)
    audit.record(user.pk, "secret_added", widget, {}, {"kid": kid}, at=at)
    return secret


@transaction.atomic
def rotate_secret(widget: Widget, user: User, *, at: datetime) -> tuple[str, str]:
    """A new secret beside the newest one, which holds on; older ones go. Its name and the secret, returned once."""
    Widget.objects.select_for_update().get(pk=widget.pk)
    for old in widget.secrets.order_by("-pk")[MOST_SECRETS - 1 :]:
        remove_secret(widget, old.kid, user, at=at)
    secret = add_secret(widget, "", user, at=at)
    return widget.secrets.order_by("-pk").values_list("kid", flat=True)[0], secret


@transaction.atomic
def remove_secret(widget: Widget, kid: str, user: User, *, at: datetime) -> None:
    """What was signed with it holds no more. Raises CannotChange where there is none of that name."""
    deleted, _rows = widget.secrets.filter(kid=kid).delete()
    if not deleted:
        raise CannotChange(_("There is no secret of this name."))
    audit.record(user.pk, "secret_removed", widget, {"kid": kid}, {}, at=at)


def snippet(widget: Widget) -> str:
    """What to put into a page, just before </body>."""
    address = f"{settings.PUBLIC_URL}/chat/loader.js"
    return f'<script async src="{address}" data-key="{widget.key}"></script>'


def policy() -> str:
    """What a page with a Content-Security-Policy adds to it (CSP Level 3): three directives."""
    desk = settings.PUBLIC_URL
    return "\n".join(f"{name} {desk};" for name in ("script-src", "connect-src", "frame-src"))
