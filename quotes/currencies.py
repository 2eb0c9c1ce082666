"""Currencies and their minor units: how many decimals an amount of each has (ISO 4217, list one, 2024-06-25)."""

from decimal import Decimal
from typing import Final

# Those without a minor unit, with three decimals, with four; all others in use have two.
_NONE: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE: Final = "BHD IQD JOD KWD LYD OMR TND"
_FOUR: Final = "CLF UYW"
_TWO: Final = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
    "CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF "
    "IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN "
    "MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS "
    "SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD YER ZAR ZMW ZWG"
)
MINOR_UNITS: Final[dict[str, int]] = {
    code: digits for codes, digits in ((_NONE, 0), (_TWO, 2), (_THREE, 3), (_FOUR, 4)) for code in codes.split()
}


class UnknownCurrency(ValueError):
    """ISO 4217 has no such currency in use."""


def minor_units(currency: str) -> int:
    """How many decimals an amount of this currency has. Raises UnknownCurrency."""
    try:
        return MINOR_UNITS[currency]
    except KeyError:
        raise UnknownCurrency(currency) from None


def smallest(currency: str) -> Decimal:
    """The smallest amount there is: 0.01 for EUR, 1 for JPY, 0.0001 for CLF. Raises UnknownCurrency."""
    return Decimal(1).scaleb(-minor_units(currency))
