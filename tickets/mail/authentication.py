"""Whether a mail's From is proven: by the verdict of a server we trust, never by the mail itself.

Only the topmost Authentication-Results (RFC 8601) of a configured authserv-id counts; anybody can write the others.
"""

import enum

import authres
from django.conf import settings

from tickets.mail.parsed import ParsedMail


class Proof(enum.Enum):
    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


def proof(mail: ParsedMail) -> Proof:
    """PASSED when DMARC passed, or DKIM or SPF did for the From's own domain; FAILED when DMARC failed."""
    results = _trusted_results(mail)
    if results is None or mail.sender is None:
        return Proof.UNKNOWN
    domain = mail.sender.email.rpartition("@")[2]
    verdicts = [(r.method, r.result, _domain_of(r)) for r in results.results]
    if ("dmarc", "pass") in {(method, result) for method, result, _ in verdicts}:
        return Proof.PASSED
    if any(method == "dmarc" and result == "fail" for method, result, _ in verdicts):
        return Proof.FAILED
    aligned = any(m in ("dkim", "spf") and r == "pass" and _is_aligned(d, domain) for m, r, d in verdicts)
    return Proof.PASSED if aligned else Proof.UNKNOWN


def _trusted_results(mail: ParsedMail) -> "authres.AuthenticationResultsHeader | None":
    trusted = {name.lower() for name in settings.TRUSTED_AUTHSERV_IDS}
    for value in mail.headers.get("authentication-results", ())[:5] if trusted else ():
        try:
            results = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {value[:8000]}")
        except (authres.AuthResError, ValueError, IndexError):
            continue
        if (results.authserv_id or "").lower() in trusted:
            return results
    return None


def _domain_of(result: object) -> str:
    for name in ("header_d", "header_i", "smtp_mailfrom", "smtp_helo"):
        value = getattr(result, name, None)
        if value:
            return str(value).rpartition("@")[2].lower()
    return ""


def _is_aligned(signed: str, domain: str) -> bool:
    """Relaxed alignment (RFC 7489 §3.1), without a public suffix list: one domain is the other or lies in it."""
    return bool(signed) and "." in signed and (signed == domain or domain.endswith(f".{signed}"))
