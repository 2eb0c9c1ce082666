"""The laws of a quote's arithmetic, for any lines in any currency."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotes import money
from quotes.currencies import MINOR_UNITS, UnknownCurrency, minor_units, smallest
from quotes.money import BadAmount, Line

currencies = st.sampled_from(sorted(MINOR_UNITS))


def decimals(lowest: int, highest: int, digits: int) -> st.SearchStrategy[Decimal]:
    """With so many digits behind the point; the bounds are whole."""
    return st.integers(lowest * 10**digits, highest * 10**digits).map(lambda number: Decimal(number).scaleb(-digits))


@st.composite
def lines_in(draw: st.DrawFn) -> tuple[list[Line], str]:
    currency = draw(st.sampled_from(["EUR", "JPY", "KWD", "CLF", "UYW", "XPF"]))
    quantities = decimals(0, 9999, 3).filter(lambda quantity: quantity > 0)
    line = st.builds(Line, quantities, decimals(-99999, 99999, minor_units(currency)), decimals(0, 100, 2))
    return draw(st.lists(line, max_size=12)), currency


# A busy machine draws slowly; what is drawn is small.
@given(lines_in())
def test_every_amount_is_one_the_currency_has_and_sums_are_sums(given: tuple[list[Line], str]) -> None:
    lines, currency = given
    amounts = [money.of_line(line, currency) for line in lines]
    sums = money.of_lines(lines, currency)
    assert sums.net == sum((one.net for one in amounts), Decimal(0))
    assert sums.tax == sum((one.tax for one in amounts), Decimal(0))
    assert sums.total == sums.net + sums.tax
    for amount in (sums.net, sums.tax, sums.total):
        assert -amount.as_tuple().exponent == minor_units(currency)  # type: ignore[operator]


@given(lines_in())
def test_a_line_is_rounded_by_less_than_half_of_the_smallest_coin_away_from_zero(given: tuple[list[Line], str]) -> None:
    lines, currency = given
    half = Fraction(smallest(currency)) / 2
    for line in lines:
        found = money.of_line(line, currency)
        exact = Fraction(line.quantity) * Fraction(line.unit_price)
        assert abs(Fraction(found.net) - exact) <= half
        if abs(Fraction(found.net) - exact) == half:
            assert abs(Fraction(found.net)) > abs(exact)
        taxed = Fraction(found.net) * Fraction(line.tax_rate) / 100
        assert abs(Fraction(found.tax) - taxed) <= half


@given(lines_in())
def test_rates_add_up_to_the_whole(given: tuple[list[Line], str]) -> None:
    lines, currency = given
    rates = money.by_rate(lines, currency)
    assert sum((amounts.total for _rate, amounts in rates), Decimal(0)) == money.of_lines(lines, currency).total
    assert [rate for rate, _amounts in rates] == sorted({line.tax_rate for line in lines}, reverse=True)


@given(lines_in())
def test_a_discount_of_the_same_size_leaves_nothing(given: tuple[list[Line], str]) -> None:
    lines, currency = given
    against = [Line(line.quantity, -line.unit_price, line.tax_rate) for line in lines]
    assert money.of_lines([*lines, *against], currency).total == 0


@given(currencies, st.decimals(allow_nan=True, allow_infinity=True))
def test_what_is_let_in_is_kept_as_it_was(currency: str, price: Decimal) -> None:
    try:
        line = money.checked(Line(Decimal(1), price, Decimal(19)), currency)
    except BadAmount:
        return
    assert line.unit_price == price
    assert not (line.unit_price == 0 and line.unit_price.is_signed())


def test_known_amounts_of_no_two_three_and_four_decimals() -> None:
    third = Line(Decimal("0.333"), Decimal(1), Decimal(0))
    assert [str(money.of_line(third, code).net) for code in ("JPY", "EUR", "KWD", "CLF")] == [
        "0", "0.33", "0.333", "0.3330",
    ]  # fmt: skip
    half_up = {"JPY": ("2.5", "3"), "EUR": ("0.125", "0.13"), "KWD": ("0.0005", "0.001"), "UYW": ("0.00005", "0.0001")}
    for code, (exact, shown) in half_up.items():
        assert str(money.rounded(Decimal(exact), code)) == shown
        assert str(money.rounded(-Decimal(exact), code)) == f"-{shown}"
    assert money.of_line(Line(Decimal(3), Decimal("0.0001"), Decimal(50)), "CLF").tax == Decimal("0.0002")
    assert money.written(Decimal("1234567.5"), "CLF") == "1\u202f234\u202f567.5000\u00a0CLF"
    assert money.written(Decimal(12000), "JPY") == "12\u202f000\u00a0JPY"


@pytest.mark.parametrize(
    ("line", "currency", "field"),
    [
        (Line(Decimal(0), Decimal(1), Decimal(0)), "EUR", "quantity"),
        (Line(Decimal("0.0001"), Decimal(1), Decimal(0)), "EUR", "quantity"),
        (Line(Decimal(1), Decimal("0.005"), Decimal(0)), "EUR", "unit_price"),
        (Line(Decimal(1), Decimal("0.5"), Decimal(0)), "JPY", "unit_price"),
        (Line(Decimal(1), Decimal("0.00001"), Decimal(0)), "CLF", "unit_price"),
        (Line(Decimal(1), Decimal(1), Decimal(-1)), "EUR", "tax_rate"),
        (Line(Decimal(1), Decimal(1), Decimal(101)), "EUR", "tax_rate"),
        (Line(Decimal(1), Decimal("1e400"), Decimal(1)), "EUR", "unit_price"),
        (Line(Decimal(10) ** 7, Decimal(10) ** 11, Decimal(0)), "EUR", "unit_price"),
    ],
)
def test_what_is_no_amount_is_refused(line: Line, currency: str, field: str) -> None:
    with pytest.raises(BadAmount) as refused:
        money.checked(line, currency)
    assert refused.value.field == field


def test_currencies_that_iso_does_not_know() -> None:
    for code in ("", "eur", "EURO", "XXX", "XAU"):
        with pytest.raises(UnknownCurrency):
            minor_units(code)
    assert Decimal(1).scaleb(-4) == smallest("UYW") and Decimal(1) == smallest("ISK")
    assert Decimal("2.5").quantize(smallest("ISK"), ROUND_HALF_UP) == 3
