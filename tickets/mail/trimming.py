"""What the sender newly wrote, apart from the thread it answers and the signature: `trim_text` and `trim_html`.

The whole text is stored elsewhere. A wrong cut hides words, so in doubt nothing is cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tickets.mail.html_lines import HtmlLines, read_html
from tickets.mail.html_text import to_text
from tickets.mail.quote_headers import looks_like_name, plain
from tickets.mail.thread_lines import LINES_LIMIT, Place, Placement, place_lines


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A mail's text in three pieces, each in its original order: plain text, or HTML fragments that are not sanitised.

    `visible` is never empty where the text was not.
    """

    visible: str
    quoted: str
    signature: str


def newly_written(text: str, html: str = "") -> str:
    """The visible text of a mail. `html` is given where `text` was only made of it: there the markup of mail programs
    tells the thread from the sender's words more surely than lines do.
    """
    if html:
        visible = trim_html(html).visible
        if visible != html and (words := to_text(visible)):
            return words
    return trim_text(text).visible


def trim_text(text: str) -> Trimmed:
    """Split a plain text mail body. Line ends become "\\n"; never raises, in time linear to the text."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    # The last piece holds every line beyond the limit.
    lines = unified.split("\n", LINES_LIMIT)
    placement = place_lines(lines)
    visible = _joined(lines, placement, Place.VISIBLE)
    if not visible:
        return Trimmed(text, "", "")
    return Trimmed(visible, _joined(lines, placement, Place.QUOTED), _joined(lines, placement, Place.SIGNATURE))


def _joined(lines: Sequence[str], placement: Placement, place: Place) -> str:
    kept: list[str] = []
    for at, line in enumerate(lines):
        offset = placement.splits.get(at)
        if offset is not None and place is Place.VISIBLE:
            kept.append(line[:offset].rstrip(" -–—_\t"))
        elif offset is not None and place is Place.QUOTED:
            kept.append(line[offset:])
        elif placement.places[at] is place:
            kept.append(line)
    return "\n".join(kept).strip("\n").rstrip()


def trim_html(html: str) -> Trimmed:
    """Split an HTML mail body into HTML fragments: body content without comments, styles and scripts, NOT sanitised.

    A mail with nothing to cut, or too large or too deep to be read, comes back whole and unchanged as `visible`.
    Never raises, in time linear to the markup.
    """
    read = read_html(html) if html.strip() else None
    if read is None:
        return Trimmed(html, "", "")
    placement = place_lines([line.text for line in read.lines], [line.hint for line in read.lines], markup=True)
    _place_name_above_rule(read, placement)
    if all(place is Place.VISIBLE for place in placement.places) and not placement.splits:
        return Trimmed(html, "", "")
    visible, quoted, signature = read.fragments(placement)
    return Trimmed(visible, quoted, signature) if visible else Trimmed(html, "", "")


def _place_name_above_rule(read: HtmlLines, placement: Placement) -> None:
    """Zimbra and others put the sender's name into the element that holds the ruled-off thread: that name signs."""
    cut = next(
        (at for at, place in enumerate(placement.places) if place is Place.QUOTED and read.lines[at].is_rule), -1
    )
    filled = [at for at in range(cut) if read.lines[at].text.strip()]
    if len(filled) < 2 or placement.places[filled[-1]] is not Place.VISIBLE:
        return
    name, above = read.lines[filled[-1]], read.lines[filled[-2]]
    words = plain(name.text)
    if name.block == read.lines[cut].block != above.block and words.isalpha() and looks_like_name(words):
        placement.places[filled[-1]] = Place.SIGNATURE
