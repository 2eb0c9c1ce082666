"""What a test of something outside has found, for an admin: each part, whether it works, and what to do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from helpdesk.desk.forms import Words
from helpdesk.events.models import Hook

WORKS, DOUBTFUL, BROKEN = "ok", "warn", "bad"
# So many calls of providers are looked through for the latest of one.
LOOKS_BACK: Final = 20_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One part: what it is, how it stands (WORKS, DOUBTFUL, BROKEN), and why, or what to do."""

    what: Words
    state: str
    detail: Words = ""
    at: datetime | None = None


def reachable() -> Finding:
    """Whether others can call the address that we name to them."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    words = _("Our address for calls from outside")
    if host in ("localhost", "::1") or host.startswith("127."):
        why = _("%s is this very machine: nobody else reaches it. Set PUBLIC_URL.") % settings.PUBLIC_URL
        return Finding(words, BROKEN, why)
    if not settings.PUBLIC_URL.startswith("https://"):
        return Finding(words, DOUBTFUL, _("%s is not https.") % settings.PUBLIC_URL)
    return Finding(words, WORKS, settings.PUBLIC_URL)


def heard(provider: str, missing: Words) -> Finding:
    """When the provider last called us with a good signature; `missing` says what to do where it never has."""
    newest = Hook.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    recent = Hook.objects.filter(pk__gt=newest - LOOKS_BACK, provider=provider)
    at = recent.order_by("-pk").values_list("received_at", flat=True).first()
    words = _("Calls from there to us")
    return Finding(words, DOUBTFUL, missing) if at is None else Finding(words, WORKS, _("The latest:"), at)
