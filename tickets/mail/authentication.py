"""Whether a mail's From is proven: by the verdict of a server we trust, else by our own look at its DKIM signatures.

Of Authentication-Results (RFC 8601) only the topmost of a configured authserv-id counts; anybody can write the others.
Our own look asks the DNS, so it is taken only where the answer matters, and never inside a transaction.
"""

import enum
from datetime import datetime

import authres
from django.conf import settings

from tickets.mail.dkim_signatures import is_valid, parse_tags, read_signatures
from tickets.mail.dns_texts import NoAnswer, Texts
from tickets.mail.parsed import ParsedMail

MOST_CHECKED = 3
MAX_DOMAIN = 253
texts = Texts()


class Proof(enum.Enum):
    PASSED = "passed"
    FAILED = "failed"
    MISSING = "missing"  # its domain asks everybody to refuse what is not proven (DMARC), and no signature proves this
    UNKNOWN = "unknown"


DOUBTS = {
    Proof.FAILED: "The sender's address failed authentication (DMARC)",
    Proof.MISSING: "The sender's address is not proven: its domain signs its mail (DMARC), this one has no valid DKIM",
}


class ProofNeeded(Exception):
    """Our own look is needed before the mail can be filed: roll back, `look`, and sort again with its result."""


def verdict(mail: ParsedMail) -> Proof:
    """What a trusted server says: PASSED when DMARC passed, or DKIM or SPF did for the From's own domain; FAILED when
    DMARC failed.
    """
    results = _trusted_results(mail)
    if results is None or mail.sender is None:
        return Proof.UNKNOWN
    domain = _domain(mail)
    verdicts = [(r.method, r.result, _domain_of(r)) for r in results.results]
    if ("dmarc", "pass") in {(method, result) for method, result, _ in verdicts}:
        return Proof.PASSED
    if any(method == "dmarc" and result == "fail" for method, result, _ in verdicts):
        return Proof.FAILED
    aligned = any(m in ("dkim", "spf") and r == "pass" and _is_aligned(d, domain) for m, r, d in verdicts)
    return Proof.PASSED if aligned else Proof.UNKNOWN


def proof(mail: ParsedMail, looked: Proof | None) -> Proof:
    """The verdict, or what our own look found where no trusted server says anything. Raises ProofNeeded before it."""
    if not settings.VERIFY_DKIM or _trusted_results(mail) is not None:
        return verdict(mail)
    if looked is None:
        raise ProofNeeded
    return looked


def look(raw: bytes, mail: ParsedMail, at: datetime) -> Proof:
    """PASSED by a valid signature aligned with From; MISSING without one, where the domain's policy is to refuse then.

    Waits for the DNS a few seconds at most; what it does not answer proves nothing.
    """
    domain = _domain(mail)
    if not domain:
        return Proof.UNKNOWN
    signed, signatures = read_signatures(raw, at)
    try:
        for signature in [s for s in signatures if _is_aligned(s.domain, domain)][:MOST_CHECKED]:
            for record in texts.of(signature.record_name)[:MOST_CHECKED]:
                if signed is not None and is_valid(signed, signature, record):
                    return Proof.PASSED
        return Proof.MISSING if _refuses_unproven(domain) else Proof.UNKNOWN
    except NoAnswer:
        return Proof.UNKNOWN


def _refuses_unproven(domain: str) -> bool:
    """Whether the DMARC policy of a domain, or else that of a parent of it, is `quarantine` or `reject` (RFC 7489)."""
    labels = domain.split(".")
    for start in range(min(len(labels) - 1, MOST_CHECKED)):
        for record in texts.of("_dmarc." + ".".join(labels[start:])):
            tags = parse_tags(record) or {}
            if tags.get(b"v") == b"DMARC1":
                policy = tags.get(b"sp", tags.get(b"p", b"")) if start else tags.get(b"p", b"")
                return policy.lower() in (b"quarantine", b"reject")
    return False


def _domain(mail: ParsedMail) -> str:
    """The domain of From as the DNS has it; empty for what cannot be one."""
    domain = mail.sender.email.rpartition("@")[2] if mail.sender is not None else ""
    try:
        return domain.encode("idna").decode() if "." in domain.strip(".") and len(domain) <= MAX_DOMAIN else ""
    except UnicodeError:
        return ""


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
