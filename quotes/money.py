"""The arithmetic of a quote, in decimals alone.

The rule, line by line: quantity × unit price is rounded to the currency's minor unit, half away from zero; the tax of a
line is its rounded amount × its rate, rounded the same way. All totals are sums of rounded amounts, so whoever adds up
what is printed gets what is printed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import groupby
from typing import Final

from quotes.currencies import minor_units, smallest

# Exact for every number that `checked` lets in: a product never has more digits than this.
_EXACT: Final = Context(prec=60, rounding=ROUND_HALF_UP)
LARGEST: Final = Decimal(10) ** 12
MOST_QUANTITY: Final = Decimal(10) ** 7
QUANTITY_DIGITS: Final = 3
RATE_DIGITS: Final = 2
MOST_RATE: Final = Decimal(100)
_HUNDRED: Final = Decimal(100)


class BadAmount(ValueError):
    """No number a quote can have; `field` says which: quantity, unit_price, tax_rate."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


@dataclass(frozen=True, slots=True)
class Line:
    """What one line is reckoned from. The price may be below zero: a discount."""

    quantity: Decimal
    unit_price: Decimal
    tax_rate: Decimal


@dataclass(frozen=True, slots=True)
class Amounts:
    """Rounded to the currency: what it costs, the tax on it, both together."""

    net: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        return _EXACT.add(self.net, self.tax)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """To the minor unit, half away from zero. Raises UnknownCurrency."""
    return amount.quantize(smallest(currency), context=_EXACT)


def of_line(line: Line, currency: str) -> Amounts:
    """Raises UnknownCurrency."""
    net = rounded(_EXACT.multiply(line.quantity, line.unit_price), currency)
    tax = rounded(_EXACT.divide(_EXACT.multiply(net, line.tax_rate), _HUNDRED), currency)
    return Amounts(net, tax)


def of_lines(lines: Iterable[Line], currency: str) -> Amounts:
    """The sums; nothing at all is zero, with the currency's decimals. Raises UnknownCurrency."""
    net = tax = rounded(Decimal(0), currency)
    for line in lines:
        amounts = of_line(line, currency)
        net, tax = _EXACT.add(net, amounts.net), _EXACT.add(tax, amounts.tax)
    return Amounts(net, tax)


def by_rate(lines: Iterable[Line], currency: str) -> list[tuple[Decimal, Amounts]]:
    """Net and tax of each tax rate, the highest first: what an invoice must show. Raises UnknownCurrency."""
    ordered = sorted(lines, key=lambda line: -line.tax_rate)
    return [(rate, of_lines(some, currency)) for rate, some in groupby(ordered, key=lambda line: line.tax_rate)]


def checked(line: Line, currency: str) -> Line:
    """The line, with the decimals its numbers have. Raises BadAmount, UnknownCurrency."""
    digits = minor_units(currency)
    quantity = _number("quantity", line.quantity, QUANTITY_DIGITS, MOST_QUANTITY)
    price = _number("unit_price", line.unit_price, digits, LARGEST)
    rate = _number("tax_rate", line.tax_rate, RATE_DIGITS, MOST_RATE)
    if quantity <= 0:
        raise BadAmount("quantity", "it is more than nothing")
    if rate < 0:
        raise BadAmount("tax_rate", "a tax rate is not below zero")
    if abs(of_line(Line(quantity, price, rate), currency).net) > LARGEST:
        raise BadAmount("unit_price", "that is too much")
    return Line(quantity, price, rate)


def _number(field: str, value: Decimal, digits: int, most: Decimal) -> Decimal:
    if not value.is_finite() or abs(value) > most:
        raise BadAmount(field, f"it is between -{most:f} and {most:f}")
    fixed = value.quantize(Decimal(1).scaleb(-digits), context=_EXACT)
    if fixed != value:
        raise BadAmount(field, f"it has at most {digits} decimals")
    return fixed + 0  # never a zero below zero


def written(amount: Decimal, currency: str) -> str:
    """Such as `1 234.50 EUR`, `12 000 JPY`, `0.5000 CLF`, with spaces at which no line breaks: for people of any
    language. Raises UnknownCurrency.
    """
    return f"{amount:,.{minor_units(currency)}f}\u00a0{currency}".replace(",", "\u202f")


def plain(number: Decimal) -> str:
    """A quantity or rate without needless zeros: `1.5`, `20`."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
