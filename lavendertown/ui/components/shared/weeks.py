"""Find the first day of the week in the user's locale, as Streamlit's date fields do in the browser."""

from __future__ import annotations

import datetime as dt

import streamlit as st

_MONDAY, _FRIDAY, _SATURDAY, _SUNDAY = 0, 4, 5, 6

_REGIONS = {
    _FRIDAY: "MV",
    _SATURDAY: "AF BH DJ DZ EG IQ IR JO KW LY OM QA SD SY",
    _SUNDAY: (
        "AG AS BD BR BS BT BW BZ CA CO DM DO ET GT GU HK HN ID IL IN IS JM JP KE KH KR LA MH MM MO MT MX MZ "
        "NI NP PA PE PH PK PR PT PY SA SG SV TH TT TW UM US VE VI WS YE ZA ZW"
    ),
}
"""First day of the week → regions, from CLDR's week data; in all other regions, it is Monday."""

_LANGUAGES = {
    _FRIDAY: "dv",
    _SATURDAY: "ar fa ps",
    _SUNDAY: (
        "af am as bn en gn gu he hi id is ja jv km kn ko lo ml mr mt my ne om or pa pt qu sa sd sm sn st su "
        "ta te th ti tn ts ur xh zu"
    ),
}
"""First day of the week → languages, where the locale has no region: that of the language's likely region."""

_DAY_BY_REGION = {region: day for day, regions in _REGIONS.items() for region in regions.split()}
_DAY_BY_LANGUAGE = {language: day for day, languages in _LANGUAGES.items() for language in languages.split()}


def week_start(day: dt.date) -> dt.date:
    """Return the first day of the week of a day, in the locale of the user's browser."""
    return day - dt.timedelta(days=(day.weekday() - first_weekday(reader_locale())) % 7)


def reader_locale() -> str:
    """Return the locale of the user's browser, such as ``de-AT``; empty if it sends none."""
    return st.context.locale or ""


def first_weekday(locale: str) -> int:
    """Return the first day of the week in a locale (Monday is 0); Monday if the locale is unknown.

    Args:
        locale: A language tag, such as ``pt-BR``, ``zh-Hant-TW`` or ``ar``.
    """
    language, *parts = locale.replace("_", "-").split("-")
    region = _find_region(parts)
    if region:
        return _DAY_BY_REGION.get(region, _MONDAY)
    return _DAY_BY_LANGUAGE.get(language.lower(), _MONDAY)


def _find_region(parts: list[str]) -> str:
    """Return the region among the parts after the language, which a script may precede; empty if none."""
    for part in parts[:2]:
        if (len(part) == 2 and part.isalpha()) or (len(part) == 3 and part.isdigit()):
            return part.upper()
        if len(part) == 1:
            break
    return ""
