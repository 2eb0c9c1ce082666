"""Address headers, read strictly: what is not unmistakably an address gives none (CVE-2023-27043).

RFC 5322 section 3.4 with groups, comments and quoted names, plus what real mail adds: semicolons between addresses,
encoded words inside quotes, `<mailto:...>`, raw UTF-8. One pass, no recursion, stops after the limit.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

import idna

from helpdesk.conversations.cleaning import one_line
from tickets.mail.encoded_words import decode_words
from tickets.mail.parsed import Address

MAX_ADDRESSES = 100
_MAX_EMAIL = 254
_QUOTED = re.compile(r'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_PLAIN = re.compile(r'[^"(<,;:]++')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_PAREN = re.compile(r"\\.|[()]", re.DOTALL)
_COMMENT = re.compile(r"\([^()]{0,200}\)")
_AROUND_DOTS = re.compile(r"(?<!\s)\s*+([@.])\s*+")
_LOCAL = re.compile(r"[^\x00-\x20\x7f-\xa0()<>@,;:\\\"\[\]]+")
_QUOTED_LOCAL = re.compile(r'"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"')
_DOMAIN = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_LITERAL = re.compile(r"\[(?:\d{1,3}(?:\.\d{1,3}){3}|ipv6:[0-9a-f:.]{2,45})\]")
_DOT_QUOTED_LOCAL = re.compile(r'"([^\s()<>@,;:\\"\[\]]+)"')


def email_of(text: str) -> str:
    """The address in lower case with an ASCII (punycode) domain, or "" where `text` is not exactly one address."""
    text = text.strip()
    local, at, domain = text.rpartition("@")
    if not at or len(text) > _MAX_EMAIL:
        return ""
    local, domain = local.strip().lower(), domain.strip().lower().rstrip(".")
    if simple := _DOT_QUOTED_LOCAL.fullmatch(local):
        local = simple[1]
    if not (_LOCAL.fullmatch(local) or _QUOTED_LOCAL.fullmatch(local)) or one_line(local) != local:
        return ""
    if not domain.isascii():
        domain = _ascii_domain(domain)
    if not (_DOMAIN.fullmatch(domain) or _LITERAL.fullmatch(domain)):
        return ""
    email = f"{unicodedata.normalize('NFC', local)}@{domain}"
    return email if len(email) <= _MAX_EMAIL else ""


def _ascii_domain(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError, ValueError):
        return ""


@dataclass(slots=True)
class _Piece:
    """What stands between two separators: the words with quotes undone, the same as written, angles, comments."""

    words: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    angles: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    def add(self, word: str, written: str) -> None:
        self.words.append(word)
        self.written.append(written)


def parse_addresses(value: str, limit: int = MAX_ADDRESSES) -> tuple[list[Address], list[str]]:
    """At most `limit` addresses of an unfolded, still encoded header value, and the defects in words.

    Something that names a sender without giving an address (`MAILER-DAEMON`, `Root <root@>`) is an Address whose
    `email` is empty; `<>` and empty groups are nothing at all. Never raises; linear in the length of the value.
    """
    found: list[Address] = []
    defects: list[str] = []
    for piece in _pieces(value):
        address = _mailbox(piece)
        if address is None:
            continue
        if len(found) >= limit:
            defects.append(f"more than {limit} addresses")
            break
        if not address.email:
            defects.append("an address cannot be read")
        found.append(address)
    return found, list(dict.fromkeys(defects))


def _pieces(value: str) -> Iterator[_Piece]:
    """Cut at separators. A quote, parenthesis or angle that never closes is looked for once, then it is a letter."""
    piece, position = _Piece(), 0
    closing = {'"': True, "(": True, "<": True}
    last_semicolon = value.rfind(";")
    while position < len(value):
        char = value[position]
        if char in ",;":
            yield piece
            piece = _Piece()
        elif char == ":" and position < last_semicolon and not piece.angles and not any("@" in w for w in piece.words):
            # A group's name; its members follow (RFC 5322 section 3.4).
            piece = _Piece()
        elif closing.get(char):
            end = _closed(value, position, piece)
            if end:
                position = end
                continue
            closing[char] = False
            if char == "<":
                end = min((i for i in (value.find(",", position), last_semicolon) if i > position), default=len(value))
                piece.angles.append(value[position + 1 : end])
                position = end
                continue
            piece.add(char, char)
        else:
            run = _PLAIN.match(value, position)
            text = run[0] if run else char
            piece.add(text, text)
            position += len(text)
            continue
        position += 1
    yield piece


def _closed(value: str, position: int, piece: _Piece) -> int:
    """Take the quote, comment or angle that opens here; where it ends, or 0 where it never does."""
    if value[position] == '"':
        quoted = _QUOTED.match(value, position)
        if quoted:
            piece.add(_ESCAPE.sub(r"\1", quoted[1]), quoted[0])
        return quoted.end() if quoted else 0
    if value[position] == "<":
        end = value.find(">", position)
        if end > 0:
            piece.angles.append(value[position + 1 : end])
            piece.add(" ", " ")
        return end + 1
    depth = 0
    for paren in _PAREN.finditer(value, position):
        depth += {"(": 1, ")": -1}.get(paren[0], 0)
        if depth == 0:
            piece.comments.append(value[position + 1 : paren.start()])
            piece.add(" ", " ")
            return paren.end()
    return 0


def _mailbox(piece: _Piece) -> Address | None:
    phrase = " ".join("".join(piece.words).split())
    comment = piece.comments[0] if piece.comments else ""
    if piece.angles:
        emails = {email_of(_addr_spec(angle)) for angle in piece.angles}
        # Two different addresses in angles: another reader may pick the other one, so neither is believed.
        email = emails.pop() if len(emails) == 1 else ""
        given = " ".join(piece.angles).strip()
        if not email and not phrase and not given:
            return None
        return Address(_name(phrase or comment or ("" if email else given)), email)
    if not phrase:
        return None
    written = " ".join("".join(piece.written).split())
    if email := email_of(written):
        return Address(_name(comment), email)
    before, _, last = written.rpartition(" ")
    if before and "@" not in before and '"' not in written and (email := email_of(last)):
        return Address(_name(before), email)
    return Address(_name(phrase), "")


def _addr_spec(angle: str) -> str:
    spec = angle.strip().lstrip("<").strip().strip("'")
    if spec[:7].lower() == "mailto:":
        spec = spec[7:]
    if "(" in spec and '"' not in spec:
        # Comments count as blanks, and blanks may stand around "@" and dots, but nowhere else.
        spec = _AROUND_DOTS.sub(r"\1", _COMMENT.sub(" ", spec)).strip()
    # RFC 5322 section 4.4: an obsolete route comes before the address.
    return spec.rpartition(":")[2] if spec.startswith("@") else spec


def _name(text: str) -> str:
    name = one_line(unicodedata.normalize("NFC", one_line(decode_words(text))), 200)
    return name[1:-1].strip() if len(name) > 1 and name[0] == name[-1] and name[0] in "'\"" else name
