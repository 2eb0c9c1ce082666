"""A quote as PDF: the same bytes however often it is drawn, from nothing but the quote's own rows.

Set in DejaVu Sans, which has the letters of all European languages; what it lacks is drawn as an empty box.
"""

from functools import cache
from io import BytesIO
from typing import Any, Final
from xml.sax.saxutils import escape

from django.conf import settings
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import override
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph, Spacer, Table, TableStyle

from quotes import money
from quotes.drafting import line_of
from quotes.models import Quote

FONTS: Final = "dejavu-fonts-ttf@2.37.3"
_PLAIN, _BOLD = "DejaVuSans", "DejaVuSans-Bold"
_INK: Final[Color] = HexColor("#16181d")
_DIM: Final[Color] = HexColor("#5b6270")
_LINE: Final[Color] = HexColor("#d4d8de")
_WIDTHS: Final = (76 * mm, 20 * mm, 34 * mm, 14 * mm, 30 * mm)


def file_name(quote: Quote) -> str:
    return f"{quote.number}.pdf"


def drawn(quote: Quote) -> bytes:
    """The document, in the quote's language."""
    _register()
    file = BytesIO()
    with override(quote.language):
        document = BaseDocTemplate(
            file, pagesize=A4, title=f"{_('Quote')} {quote.number}", author=quote.seller.get("name", ""),
            subject=quote.title, lang=quote.language, invariant=1,
        )  # fmt: skip
        frame = Frame(18 * mm, 26 * mm, 174 * mm, A4[1] - 44 * mm, 0, 0, 0, 0)
        document.addPageTemplates(PageTemplate(frames=[frame], onPage=_footer(quote)))
        document.build(_story(quote))
    return file.getvalue()


@cache
def _register() -> None:
    folder = settings.BASE_DIR / "static" / "vendor" / FONTS
    for name in (_PLAIN, _BOLD):
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))
    pdfmetrics.registerFontFamily(_PLAIN, normal=_PLAIN, bold=_BOLD, italic=_PLAIN, boldItalic=_BOLD)


def _style(name: str, size: float = 9.5, **more: Any) -> ParagraphStyle:
    given = {"fontName": _PLAIN, "fontSize": size, "leading": size * 1.4, "textColor": _INK, **more}
    return ParagraphStyle(name, **given)


_TEXT: Final = _style("text", splitLongWords=True, spaceAfter=3)
_SMALL: Final = _style("small", 8, textColor=_DIM)
_SMALL_RIGHT: Final = _style("small right", 8, textColor=_DIM, alignment=TA_RIGHT)
_RIGHT: Final = _style("right", alignment=TA_RIGHT)
_STRONG: Final = _style("strong", alignment=TA_RIGHT, fontName=_BOLD)
_HEAD: Final = _style("head", 18, fontName=_BOLD)
_PART: Final = _style("part", 10.5, fontName=_BOLD, spaceBefore=10, spaceAfter=3)


def _said(text: str, style: ParagraphStyle = _TEXT) -> Paragraph:
    """Text as it was written, lines kept, markup shown as it is."""
    shown = "".join(letter for letter in text if letter == "\n" or letter >= " ")
    return Paragraph(escape(shown).replace("\n", "<br/>"), style)


def _story(quote: Quote) -> list[Any]:
    seller = [quote.seller.get("name", ""), quote.seller.get("address", "")]
    buyer = [str(quote.organization or ""), quote.customer.name, quote.customer.email]
    story: list[Any] = [
        _said("\n".join(filter(None, seller)), _SMALL),
        Spacer(1, 8 * mm),
        _said(f"{_('Quote')} {quote.number}", _HEAD),
        Spacer(1, 5 * mm),
        Table(
            [[_said("\n".join(filter(None, buyer))), _said("\n".join(_facts(quote)))]],
            colWidths=(87 * mm, 87 * mm),
            style=TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]),
        ),
        Spacer(1, 5 * mm),
        _said(quote.title, _PART),
    ]
    if quote.words:
        story += _paragraphs(quote.words)
    story += [Spacer(1, 4 * mm), _lines(quote), _sums(quote)]
    if quote.terms:
        story += [_said(_("Terms"), _PART), *_paragraphs(quote.terms)]
    if quote.upgrade_name:
        story += [_said(_("Or instead: %(plan)s") % {"plan": quote.upgrade_name}, _PART)]
        story += _paragraphs("\n".join(filter(None, (quote.upgrade_price, quote.upgrade_words))))
    return story


def _facts(quote: Quote) -> list[str]:
    assert quote.sent_at is not None, "drafts are drawn once they are sent"
    sent = formats.date_format(quote.sent_at.date())
    found = [
        _("Date: %(day)s") % {"day": sent},
        _("Valid until: %(day)s") % {"day": formats.date_format(quote.valid_until)},
    ]
    if quote.deliver_by is not None:
        found.append(_("Done by: %(day)s") % {"day": formats.date_format(quote.deliver_by)})
    return [*found, _("Request: #%(number)s") % {"number": quote.conversation_id}]


def _paragraphs(text: str) -> list[Paragraph]:
    """A paragraph a block: one that is longer than a page is split between them."""
    return [_said(block) for block in text.split("\n\n") if block.strip()]


def _lines(quote: Quote) -> Table:
    heads = (_("What"), _("Quantity"), _("Price"), quote.tax_name or _("Tax"), _("Amount"))
    rows = [[_said(heads[0], _SMALL), *(_said(head, _SMALL_RIGHT) for head in heads[1:])]]
    for one in quote.lines.all():
        amounts = money.of_line(line_of(one), quote.currency)
        rows.append(
            [
                _said(one.text),
                _said(money.plain(one.quantity), _RIGHT),
                _said(_bare(quote, one.unit_price), _RIGHT),
                _said(f"{money.plain(one.tax_rate)} %", _RIGHT),
                _said(_bare(quote, amounts.net), _RIGHT),
            ]
        )
    style = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
    ]
    return Table(rows, colWidths=_WIDTHS, repeatRows=1, style=TableStyle(style))


def _bare(quote: Quote, amount: Any) -> str:
    """An amount without its currency, which stands in the sums."""
    return money.written(amount, quote.currency).rpartition("\u00a0")[0]


def _sums(quote: Quote) -> Table:
    rows = [[_said(_("Net"), _RIGHT), _said(money.written(quote.net, quote.currency), _RIGHT)]]
    lines = [line_of(one) for one in quote.lines.all()]
    for rate, amounts in money.by_rate(lines, quote.currency):
        name = f"{quote.tax_name or _('Tax')} {money.plain(rate)} %"
        rows.append([_said(name, _RIGHT), _said(money.written(amounts.tax, quote.currency), _RIGHT)])
    rows.append([_said(_("Total"), _STRONG), _said(money.written(quote.total, quote.currency), _STRONG)])
    style = TableStyle([("RIGHTPADDING", (-1, 0), (-1, -1), 0), ("LINEABOVE", (0, -1), (-1, -1), 0.8, _INK)])
    return Table(rows, colWidths=(44 * mm, 44 * mm), hAlign="RIGHT", style=style)


def _footer(quote: Quote) -> Any:
    parts = (quote.seller.get("tax_id", ""), quote.seller.get("footer", ""))
    lines = [line for part in parts for line in str(part).splitlines() if line.strip()][:4]

    def draw(canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont(_PLAIN, 7.5)
        canvas.setFillColor(_DIM)
        for place, line in enumerate(lines):
            canvas.drawString(18 * mm, 19 * mm - place * 3.6 * mm, line[:130])
        canvas.drawRightString(A4[0] - 18 * mm, 19 * mm, f"{quote.number} · {document.page}")
        canvas.restoreState()

    return draw
