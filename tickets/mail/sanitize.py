"""HTML from strangers made safe to show in a sandboxed frame: nh3 with the rules of this house.

Nothing loads by itself: remote pictures wait in `data-src` for a click, `cid:` pictures stay for the view to replace.
Styles keep only values that cannot fetch. Markup no tree builder should see gives no HTML at all and a notice instead.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import nh3

from helpdesk.conversations.cleaning import storable
from tickets.mail.html_limits import complaint

_REMOTE = "cid:remote\ue000"
_REMOTE_SRC = f'src="{_REMOTE}'
_MAX_URL = 4_000
_MAX_STYLE = 4_000
_MAX_PASSES = 4

_LINK = re.compile(r"(?:https?://|mailto:|tel:)[^\x00-\x20\x7f]+", re.IGNORECASE)
_PICTURE = re.compile(r"https?://[^\x00-\x20\x7f]+", re.IGNORECASE)
_INLINE_PICTURE = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]+", re.IGNORECASE)
_CONTENT_ID = re.compile(r"cid:[^\x00-\x20\x7f\"'<>\ue000]{1,500}", re.IGNORECASE)
_VALUE = re.compile(r"(?:(?:rgb|hsl)a?\([\d\s.,%/]{1,60}+\)|[\w\s#%.,'\"!+-]){1,300}+")

_STYLES = frozenset(
    "color background-color background font font-family font-size font-style font-weight font-variant line-height "
    "letter-spacing text-align text-decoration text-indent text-transform vertical-align white-space word-break "
    "overflow-wrap direction display list-style list-style-type border-collapse border-spacing border border-top "
    "border-right border-bottom border-left border-color border-style border-width border-radius border-top-color "
    "border-left-color border-right-color border-bottom-color border-top-width border-left-width border-right-width "
    "border-bottom-width border-top-style border-left-style border-right-style border-bottom-style margin margin-top "
    "margin-right margin-bottom margin-left padding padding-top padding-right padding-bottom padding-left width height "
    "max-width max-height min-width min-height table-layout caption-side".split()
)
_TAGS = frozenset(
    "a abbr acronym address b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn div "
    "dl dt em figcaption figure font h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strike "
    "strong sub summary sup table tbody td tfoot th thead tr tt u ul var wbr".split()
)
_CELL = {"align", "valign", "bgcolor", "width", "height", "colspan", "rowspan", "nowrap"}
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"style", "dir", "lang", "title", "align"},
    "a": {"href"},
    "img": {"src", "data-src", "alt", "width", "height", "border", "hspace", "vspace"},
    "font": {"color", "face", "size"},
    "table": {"bgcolor", "border", "cellpadding", "cellspacing", "width", "height"},
    "tr": {"bgcolor", "valign", "height"},
    "td": _CELL,
    "th": _CELL | {"scope"},
    "col": {"span", "width"},
    "colgroup": {"span", "width"},
    "ol": {"start", "type", "reversed"},
    "ul": {"type"},
    "li": {"value"},
    "hr": {"width", "size", "color", "noshade"},
}


@dataclass(frozen=True, slots=True)
class SafeHtml:
    """`html` is safe inside a sandboxed frame. Where it is empty and `notice` is not, show the text and the notice."""

    html: str
    has_remote_images: bool = False
    notice: str = ""


def _filter(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "style":
        return _style(value)
    if attribute == "href":
        url = value.strip()
        return url if len(url) <= _MAX_URL and _LINK.fullmatch(url) else None
    if attribute == "src":
        return _picture(value)
    if attribute == "data-src":
        return value if len(value) <= _MAX_URL and _PICTURE.fullmatch(value) else None
    return value if len(value) <= _MAX_STYLE else None


def _picture(value: str) -> str | None:
    url = value.strip()
    if url.startswith("//"):
        url = f"https:{url}"
    if _CONTENT_ID.fullmatch(url):
        return f"cid:{url[4:]}"
    if _INLINE_PICTURE.fullmatch(url):
        return url
    return f"{_REMOTE}{url}" if len(url) <= _MAX_URL and _PICTURE.fullmatch(url) else None


@lru_cache(maxsize=1_024)
def _style(value: str) -> str | None:
    if len(value) > _MAX_STYLE:
        return None
    kept = []
    for declaration in value.lower().split(";"):
        name, _, given = (part.strip() for part in declaration.partition(":"))
        if name in _STYLES and _VALUE.fullmatch(given) and given.count("'") % 2 == 0 and given.count('"') % 2 == 0:
            kept.append(f"{name}:{given}")
    return ";".join(kept) or None


_CLEANER = nh3.Cleaner(
    tags=set(_TAGS),
    clean_content_tags={
        "script",
        "style",
        "title",
        "template",
        "noscript",
        "iframe",
        "object",
        "svg",
        "math",
        "select",
    },
    attributes=_ATTRIBUTES,
    attribute_filter=_filter,
    url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    strip_comments=True,
)


def sanitize(html: str) -> SafeHtml:
    """Safe HTML, whether pictures wait to be loaded, and why there is none where it had to be refused.

    Bounded by the limits of `html_limits`; never raises; `sanitize(sanitize(x).html).html == sanitize(x).html`.
    """
    refused = complaint(html)
    if refused:
        return _refusal(refused)
    clean = storable(html)
    for _ in range(_MAX_PASSES):
        before, clean = clean, _CLEANER.clean(clean).replace(_REMOTE_SRC, 'data-src="')
        if clean == before:
            return SafeHtml(clean, has_remote_images='data-src="' in clean)
        refused = complaint(clean)
        if refused:
            return _refusal(refused)
    return _refusal("markup that changes each time it is read")


def _refusal(reason: str) -> SafeHtml:
    return SafeHtml("", notice=f"The formatted version is not shown ({reason}); this is its text.")
