"""Knows the elements mail programs put around quoted threads, attributions and signatures."""

import re
from dataclasses import dataclass
from itertools import islice
from typing import Final

from lxml import etree

from tickets.mail.quote_headers import attribution_strength, header_key, is_forward, plain
from tickets.mail.quote_words import HEADER_KINDS
from tickets.mail.thread_lines import Hint

_QUOTE_NAMES: Final = frozenset(
    (
        "gmail_quote gmail_quote_container yahoo_quoted protonmail_quote zmail_extra tutanota_quote freshdesk_quote"
        " elided-text olk_src_body_section mail-editor-reference-message-container isreplycontent"
        " ms-outlook-mobile-reference-message ntes-mailmaster-quote mail-quote-collapse skiff_quote missive_quote"
        " messagereplysection __quoted_text__ hs_reply_quote zendesk_quote quoted-text reply-original"
    ).split()
)
_ATTRIBUTION_NAMES: Final = frozenset("moz-cite-prefix gmail_attr moz-email-headers-table".split())
_CUT_NAMES: Final = frozenset(("divrplyfwdmsg", "orig-msg-header"))
_SIGNATURE_NAMES: Final = frozenset(
    "gmail_signature gmail_signature_prefix moz-signature protonmail_signature_block"
    " ms-outlook-mobile-signature".split()
)
# The line Outlook and Windows Mail draw above the header of the mail they quote.
_BORDER: Final = re.compile(r"border-top(?:-style)?\s{0,3}:\s{0,3}(?:solid|[\d.]{1,5}(?:pt|px)\s{1,3}solid)")
_NO_BORDER: Final = re.compile(r"border(?:-width)?\s{0,3}:\s{0,3}(?:none|0)")
_FIRST_NODES: Final = 12
_NAMES_LENGTH: Final = 500


@dataclass(slots=True)
class Region:
    """An element whose lines carry a hint; `passed` once the quote inside it has begun: what stands below is text."""

    element: "etree._Element"
    hint: Hint
    has_quote_inside: bool = False
    passed: bool = False

    def hint_now(self) -> Hint:
        """The hint for a line that begins now."""
        return Hint.NONE if self.passed else self.hint


def region_of(element: "etree._Element", outer: Region | None, line_above: str) -> Region | None:
    """The region an element begins, None where it begins none. `line_above` is the last line with text before it."""
    names = _names(element)
    if outer is not None and outer.hint is not Hint.NONE and not outer.has_quote_inside:
        return None
    if element.tag == "blockquote":
        return _blockquote(element, names, outer, line_above)
    if outer is not None:
        return None
    if names & _QUOTE_NAMES:
        return _quote(element)
    if names & _ATTRIBUTION_NAMES:
        return Region(element, Hint.ATTRIBUTION)
    if names & _CUT_NAMES or _is_outlook_header(element):
        return Region(element, Hint.NONE if _announces_forward(line_above) else Hint.CUT)
    if names & _SIGNATURE_NAMES or element.get("data-signatureblock") or element.get("data-smartmail"):
        return Region(element, Hint.SIGNATURE)
    return None


def _names(element: "etree._Element") -> set[str]:
    """Class names, id and the like, folded, without the "x_" Outlook puts before those of a quoted mail."""
    found = (
        f"{element.get('class', '')} {element.get('id', '')} {element.get('name', '')} {element.get('data-marker', '')}"
    )
    if found == "   ":
        return set()
    names = (name.removeprefix("x_") for name in found[:_NAMES_LENGTH].casefold().split())
    return {"yahoo_quoted" if name.startswith("yahoo_quoted_") else name for name in names}


def _announces_forward(text: str) -> bool:
    return is_forward(plain(text))


def _first_texts(element: "etree._Element") -> list[str]:
    """The first words in an element. Only its first nodes are looked at, for elements nest."""
    parts: list[str | None] = []
    for node in islice(element.iter(), _FIRST_NODES):
        parts.append(node.text if isinstance(node.tag, str) else None)
        if node is not element and not len(node):
            parts.append(node.tail)
    return [text for text in (plain(part) for part in parts if part) if text]


def _quote(element: "etree._Element") -> Region:
    first = _first_texts(element)
    if first and is_forward(first[0]):
        return Region(element, Hint.NONE)
    if next(element.iter("blockquote"), None) is None:
        return Region(element, Hint.QUOTE)
    # The attribution, then the quote, and below it perhaps the sender's words.
    return Region(element, Hint.ATTRIBUTION, has_quote_inside=True)


def _blockquote(element: "etree._Element", names: set[str], outer: Region | None, line_above: str) -> Region | None:
    if outer is not None:
        if outer.hint is Hint.NONE:
            return None
        outer.passed = True
        return Region(element, Hint.QUOTE)
    style = element.get("style", "").casefold()
    # Gmail and Apple Mail indent with a blockquote, too.
    indented = "gmail_quote" in names or ("margin" in style and _NO_BORDER.search(style) is not None)
    if indented and not attribution_strength(plain(line_above)):
        return None
    return Region(element, Hint.QUOTE)


def _is_outlook_header(element: "etree._Element") -> bool:
    if element.tag not in ("div", "p"):
        return False
    style = element.get("style", "")
    if "border" not in style or not _BORDER.search(style.casefold()):
        return False
    first = _first_texts(element)
    return bool(first) and (header_key(first[0]) in HEADER_KINDS or (first[0].endswith(":") and len(first[0]) <= 30))
