"""Tests of texts with a fixed format: mail addresses, URLs, ISO codes, checksums."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

_MAIL = re.compile(r"[^\s@,;:<>()\[\]\"\\]+@(?:\w(?:[\w-]*\w)?\.)+[^\W\d_]{2,24}")
_URL = re.compile(
    r"(?:https?|ftps?|wss?)://(?:[^\s/?#@]+@)?(?:[\w-]+(?:\.[\w-]+)+|localhost|\[[0-9a-f:]+\])(?::\d+)?(?:[/?#]\S*)?"
)
_UUID = re.compile(r"\{?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?")
_MAC = re.compile(r"[0-9a-fA-F]{2}(?:([:-])[0-9a-fA-F]{2})(?:\1[0-9a-fA-F]{2}){4}")
_PHONE = re.compile(r"\+?[\d\s()./\u2010-\u2013-]+(?:\s*(?:x|ext\.?)\s*\d{1,6})?", re.IGNORECASE)
_TIME = re.compile(r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.,]\d+)?)?(?:\s?[AaPp]\.?[Mm]\.?)?")
_HEX_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_IBAN_LENGTHS = {
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "NL"), 18),
    **dict.fromkeys(("AT", "LT", "LU"), 20),
    **dict.fromkeys(("CH", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "DE", "GB", "IE", "RS"), 22),
    **dict.fromkeys(("CZ", "ES", "RO", "SE", "SK"), 24),
    **dict.fromkeys(("FR", "GR", "IT", "MC", "SM"), 27),
    **dict.fromkeys(("CY", "HU", "PL"), 28),
    "NO": 15,
    "SI": 19,
    "PT": 25,
    "TR": 26,
}
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COUNTRIES_2 = _words(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL
    BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV
    CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET EU FI FJ FK FM FO FR GA GB
    GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL
    IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI
    LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV
    MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN
    PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR
    SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UK UM
    US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
    """
)
"""ISO 3166-1 codes with two letters, and EU, UK and XK, which are in use."""

_COUNTRIES_3 = _words(
    """
    ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE BDI BEL BEN BES BFA BGD BGR BHR BHS
    BIH BLM BLR BLZ BMU BOL BRA BRB BRN BTN BVT BWA CAF CAN CCK CHE CHL CHN CIV CMR COD COG COK COL COM CPV
    CRI CUB CUW CXR CYM CYP CZE DEU DJI DMA DNK DOM DZA ECU EGY ERI ESH ESP EST ETH FIN FJI FLK FRA FRO FSM
    GAB GBR GEO GGY GHA GIB GIN GLP GMB GNB GNQ GRC GRD GRL GTM GUF GUM GUY HKG HMD HND HRV HTI HUN IDN IMN
    IND IOT IRL IRN IRQ ISL ISR ITA JAM JEY JOR JPN KAZ KEN KGZ KHM KIR KNA KOR KWT LAO LBN LBR LBY LCA LIE
    LKA LSO LTU LUX LVA MAC MAF MAR MCO MDA MDG MDV MEX MHL MKD MLI MLT MMR MNE MNG MNP MOZ MRT MSR MTQ MUS
    MWI MYS MYT NAM NCL NER NFK NGA NIC NIU NLD NOR NPL NRU NZL OMN PAK PAN PCN PER PHL PLW PNG POL PRI PRK
    PRT PRY PSE PYF QAT REU ROU RUS RWA SAU SDN SEN SGP SGS SHN SJM SLB SLE SLV SMR SOM SPM SRB SSD STP SUR
    SVK SVN SWE SWZ SXM SYC SYR TCA TCD TGO THA TJK TKL TKM TLS TON TTO TUN TUR TUV TWN TZA UGA UKR UMI URY
    USA UZB VAT VCT VEN VGB VIR VNM VUT WLF WSM XKX YEM ZAF ZMB ZWE
    """
)
_CURRENCIES = _words(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTC BTN BWP BYN BZD
    CAD CDF CHF CLF CLP CNH CNY COP CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB ETH EUR FJD FKP GBP GEL
    GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW
    KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO
    NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS
    SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XAG
    XAU XCD XDR XOF XPF YER ZAR ZMW ZWL
    """
)


@dataclass(frozen=True)
class Validator:
    """A fixed format.

    Attributes:
        noun: What a valid text is, with its article.
        is_valid: Tests a text without outer blanks.
        name: The column must have a name that contains this; any name if None.
        min_distinct: The number of different valid values from which on the format is certain.
    """

    noun: str
    is_valid: Callable[[str], bool]
    name: re.Pattern[str] | None = None
    min_distinct: int = 3


def _named(words: str) -> re.Pattern[str]:
    return re.compile(words, re.IGNORECASE)


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


def _is_mail(text: str) -> bool:
    local = text.rpartition("@")[0]
    dots_are_right = not local.startswith(".") and not local.endswith(".") and ".." not in text
    return _MAIL.fullmatch(text) is not None and dots_are_right


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_phone(text: str) -> bool:
    digits = sum(sign.isdigit() for sign in text)
    return _PHONE.fullmatch(text) is not None and 6 <= digits <= 20


def is_iban(text: str) -> bool:
    """Return whether the text is an IBAN with a correct checksum; blanks between groups are allowed."""
    plain = text.replace(" ", "")
    if not _IBAN.fullmatch(plain) or len(plain) != _IBAN_LENGTHS.get(plain[:2], len(plain)):
        return False
    return int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1


def is_article_number(text: str) -> bool:
    """Return whether the text is a GTIN (EAN-8, UPC, EAN-13, ISBN-13, GTIN-14) with a correct check digit."""
    digits = text.replace("-", "").replace(" ", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) in (8, 12, 13, 14)):
        return False
    return sum(int(digit) * (3 if i % 2 else 1) for i, digit in enumerate(reversed(digits))) % 10 == 0


def _is_isbn_10(text: str) -> bool:
    digits = text.replace("-", "").replace(" ", "").upper()
    if not re.fullmatch(r"\d{9}[\dX]", digits):
        return False
    return sum((10 if sign == "X" else int(sign)) * (10 - i) for i, sign in enumerate(digits)) % 11 == 0


def _is_card_number(text: str) -> bool:
    digits = text.replace("-", "").replace(" ", "")
    if not (digits.isascii() and digits.isdigit() and 14 <= len(digits) <= 19):
        return False
    doubled = (int(digit) * (2 if i % 2 else 1) for i, digit in enumerate(reversed(digits)))
    return sum(each - 9 if each > 9 else each for each in doubled) % 10 == 0


VALIDATORS = (
    Validator("a mail address", _is_mail),
    Validator("a URL", _matches(_URL)),
    Validator("an IP address", _is_ip),
    Validator("a UUID", _matches(_UUID)),
    Validator("a MAC address", _matches(_MAC)),
    Validator("an IBAN with a correct checksum", is_iban),
    Validator("an article number with a correct check digit", is_article_number, min_distinct=10),
    Validator("an ISBN with a correct check digit", _is_isbn_10, min_distinct=10),
    Validator("a card number with a correct check digit", _is_card_number, min_distinct=10),
    Validator("an ISO country code", _COUNTRIES_2.__contains__, _named("countr|nation|land|iso|citizen"), 3),
    Validator("an ISO country code", _COUNTRIES_3.__contains__, _named("countr|nation|land|iso|citizen"), 3),
    Validator("an ISO currency code", _CURRENCIES.__contains__, _named("curr|ccy|währ|waehr|devise"), 2),
    Validator("an ISO currency code", _CURRENCIES.__contains__, min_distinct=6),
    Validator("a phone number", _is_phone, _named("phone|tel|mobil|fax|cell|handy")),
    Validator("a time of day", _matches(_TIME)),
    Validator("a colour in hexadecimal", _matches(_HEX_COLOUR)),
    Validator("a BIC", _matches(_BIC), _named("bic|swift")),
)
