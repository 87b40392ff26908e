"""Infer the types of text columns and describe what was guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeGuard

import polars as pl

from lavendertown.core.reading import DETECT, ColumnType, Reading
from lavendertown.tables.inference import patterns
from lavendertown.tables.inference.column_names import is_code, is_identifier
from lavendertown.tables.inference.date_numbers import (
    are_day_numbers,
    convert_day_numbers,
    find_dates_in_numbers,
    find_day_numbers,
)
from lavendertown.tables.inference.date_text import DateText, parse_date_text
from lavendertown.tables.inference.number_text import MIN_AFFIX_SHARE, NumberText, parse_number_text
from lavendertown.tables.inference.plain_dates import (
    describe_unresolved,
    has_several_signs,
    has_several_zones,
    parse_dates,
)
from lavendertown.tables.inference.plain_numbers import (
    describe_code,
    explain_scientific_codes,
    has_decimal_comma,
    has_lost_digits,
    parse_number_column,
)
from lavendertown.tables.inference.text_columns import QUICK_CHECK_ROWS, TextColumn, stack_columns
from lavendertown.tables.inference.unread_times import explain_unread_times
from lavendertown.tables.inference.yes_no_words import YES_NO, find_yes_no_words
from lavendertown.tables.inference.zoned_times import drop_names_of_offsets, parse_zoned_times
from lavendertown.tables.value_kinds import ClassifiedColumn
from lavendertown.tables.wording import join_names

_ISO_DAY = "2024-01-31"
_MIN_SHARE = 0.6
"""The share of values of one type that makes a column of that type."""

_NEARLY = 0.4
_REPORTED_SHARE = 0.9
"""From this share on, the check of types reports numbers or dates in the text cells of a workbook."""

_FEW_STRAYS = 0.1
_MIN_VALUES = 3
_SHARES = ("%", "\u2030")
_CODE = r"^\s*[0-9]+[A-Za-z]\w*\s*$|^\s*[A-Za-z]{1,4}[-_/]?[0-9]+\w*\s*$"
_SCALED = r"^\s*[$\u20ac\u00a3]?\s*[0-9][0-9.,]*\s*(?i:k|m|b|bn|mn|mio\.?|mrd\.?)\s*$"
"""Thousands, millions or billions, such as 1.5k; or metres, such as 3 m."""

_SPACED_DIGITS = r"^\s*[0-9]{1,3}(?:[ \u00a0\u2009\u202f][0-9]{3})+\s*$"
_KEPT_AS_TEXT = {
    "code": "",
    "long": "it holds numbers too long to be kept exactly",
    "lost digits": "some of its long numbers are in scientific notation and have lost digits",
}
_NUMBER_PHRASES = {
    "decimal comma": "the comma is read as the decimal sign (12,5 is 12.5)",
    "grouped": "commas are read as thousands separators (1,234 is 1234)",
    "grouped by points": "points are read as thousands separators (1.234 is 1234)",
}
_OFFSET = r":[0-9]{2}(?:[.,][0-9]+)? ?[+-][0-9]{2}:?[0-9]{2}\s*$"
_UTC_NAMES = {"UTC", "GMT", "Z", "+0000", "+00:00"}
_OFFSETS = "read as times with an offset, and converted to UTC"
_DECIMAL_POINT = "the point is read as the decimal sign (1.234 is about 1.2)"
_CODE_BY_NAME = "kept as text, because the name says that the digits are codes"
_DATE_NAME = "date"
_TYPE_NAMES = {"number": "numbers", "date": "dates", "boolean": "yes/no values", "text": "text"}
_DTYPES = {"text": pl.String, "boolean": pl.Boolean}


@dataclass
class InferredColumns:
    """Columns with inferred types.

    Attributes:
        columns: The columns.
        guesses: Sentences that describe the guesses.
        decimal: The decimal sign of the whole file; None if it is detected in each column.
    """

    columns: list[ClassifiedColumn] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)
    decimal: str | None = None


def infer_types(
    names: Sequence[str], columns: Sequence[pl.Series], *, comma_delimited: bool, reading: Reading = DETECT
) -> InferredColumns:
    """Convert text columns to numbers or dates if most of their values are such.

    A column stays text if its digits are codes (leading zeros), if its name says that it is an identifier,
    or if day and month of its dates cannot be told apart.

    Args:
        names: The column names, used in the guesses.
        columns: Text columns.
        comma_delimited: Whether commas separate the fields, which makes decimal commas unlikely.
        reading: Settings that count instead of what would be detected.
    """
    decimal_comma = reading.decimal == "," or (reading.decimal is None and reading.thousands == ".")
    texts = stack_columns(columns)
    if reading.decimal is None and reading.thousands is None and not comma_delimited:
        decimal_comma = any(has_decimal_comma(column) for column in texts)
    if (words := reading.null_words) is not None:
        texts = stack_columns([column.set(is_null_word(column, words), None) for column in columns])
    # In files with commas between the fields, a point rarely separates thousands.
    may_group = not (comma_delimited or decimal_comma or reading.decimal or reading.thousands)
    found = []
    for name, column in zip(names, texts, strict=True):
        inferred = _infer_column(name, column, decimal_comma, reading)
        found.append(_note_other_notation(name, column, inferred, reading))
        if (
            may_group
            and found[-1].column.values.dtype.is_float()
            and column.all_match(patterns.POINT_OR_GROUP)
        ):
            found[-1] = replace(found[-1], group=_DECIMAL_POINT)
    decimal = "," if decimal_comma else reading.decimal
    return InferredColumns([each.column for each in found], _describe_columns(names, found), decimal)


def _note_other_notation(name: str, column: TextColumn, found: _Found, reading: Reading) -> _Found:
    """Return the column with a note if it is text only because of the signs that are set for numbers."""
    is_free = reading.decimal is None and reading.thousands is None
    if is_free or found.guess or found.group or found.column.values.dtype != pl.String:
        return found
    detected = replace(reading, decimal=None, thousands=None)
    if not _infer_column(name, column, has_decimal_comma(column), detected).column.values.dtype.is_numeric():
        return found
    example = column.values.filter(column.values.str.contains(patterns.SEPARATOR))[0]
    return replace(
        found, guess=f"{name} is kept as text: numbers such as {example} do not have the signs that are set."
    )


def convert_columns(
    names: Sequence[str],
    columns: Sequence[pl.Series | ClassifiedColumn],
    texts: Sequence[pl.Series],
    reading: Reading,
) -> tuple[list[pl.Series | ClassifiedColumn], list[str]]:
    """Convert the columns whose type is set, and text columns that are numbers or dates in the set notation.

    Return all columns, and sentences about the converted ones.

    Args:
        names: The column names.
        columns: The columns with the types that their source has.
        texts: The cells of each column as text.
        reading: The settings.
    """
    converted, chosen, found = list(columns), [], []
    for i, (name, text) in enumerate(zip(names, stack_columns(texts), strict=True)):
        wanted = reading.types.get(name)
        if wanted is not None and not _has_type(columns[i], wanted):
            result: _Found | None = _convert_column(name, text, wanted, reading)
            if result is not None and wanted == "number":
                result = replace(result, column=_keep_numbers(result.column, columns[i], texts[i]))
        elif wanted is None and _is_text(columns[i]):
            result = _read_in_notation(name, text, reading)
        else:
            continue
        if result is not None:
            converted[i] = result.column
            chosen.append(name)
            found.append(result)
    return converted, _describe_columns(chosen, found)


def infer_cells(
    names: Sequence[str],
    columns: Sequence[pl.Series | ClassifiedColumn],
    texts: Sequence[pl.Series],
    reading: Reading,
    *,
    from_1904: bool = False,
) -> tuple[list[pl.Series | ClassifiedColumn], list[str]]:
    """Infer the types that the cells of a workbook do not have: dates in numbers, and values in text.

    Text becomes numbers or dates if it is mostly such, and yes/no values if it is such words.
    Plain numbers and dates that are stored as text stay so, because a check reports them. Return all
    columns, and sentences about the converted ones.

    Args:
        names: The column names.
        columns: The columns with the types of their cells.
        texts: The cells of each column as text.
        reading: The settings; columns whose type is set are left as they are.
        from_1904: Whether the workbook counts days from 1904.
    """
    converted, chosen, found = list(columns), [], []
    stacked = iter(stack_columns([each for each in columns if _is_text_series(each)]))
    for i, (name, column) in enumerate(zip(names, columns, strict=True)):
        text = next(stacked) if _is_text_series(column) else None
        if name in reading.types:
            continue
        if isinstance(column, ClassifiedColumn):
            result = _infer_mixed_dates(name, column, texts[i], from_1904=from_1904) or _infer_mixed_numbers(
                name, column, texts[i], reading
            )
        elif text is not None:
            result = _infer_words(name, text) or _infer_text_cells(name, text, reading)
        else:
            dates = find_dates_in_numbers(name, column, from_1904=from_1904)
            present = len(column) - column.null_count()
            text = TextColumn(texts[i])
            result = None if dates is None else _as_dates(name, text, DateText(dates, 0), present)
        if result is not None:
            converted[i] = result.column
            chosen.append(name)
            found.append(result)
    return converted, _describe_columns(chosen, found)


def _infer_text_cells(name: str, column: TextColumn, reading: Reading) -> _Found | None:
    """Convert the text cells of a workbook, unless the check of types reports them as they are."""
    if not column.any_match("[0-9]"):
        return None
    numbers, dates = (column.count_matches(each) for each in (patterns.NUMBER, patterns.DATE))
    if max(numbers, dates) >= _REPORTED_SHARE * column.present:
        return None
    if has_lost_digits(column):
        return _keep_text(column, f"{name} is kept as text: {_KEPT_AS_TEXT['lost digits']}.")
    return _infer_zoned(name, column, reading) or _infer_mostly(name, column, reading)


def _infer_mixed_dates(
    name: str, column: ClassifiedColumn, texts: pl.Series, *, from_1904: bool
) -> _Found | None:
    """Convert the numbers among the dates of a column if they are the day numbers of these dates."""
    kinds = column.kinds
    if kinds is None or set(kinds.drop_nulls().unique()) != {"date", "number"}:
        return None
    numbers = pl.select(pl.when(kinds == "number").then(texts)).to_series().cast(pl.Float64, strict=False)
    written = pl.select(pl.when(kinds == "date").then(texts)).to_series()
    dates = parse_date_text(TextColumn(written)).values
    if not are_day_numbers(numbers.drop_nulls(), dates.drop_nulls()):
        return None
    days = convert_day_numbers(numbers, from_1904=from_1904).cast(pl.Datetime("us"))
    values = dates.cast(pl.Datetime("us")).fill_null(days)
    count = len(numbers.drop_nulls())
    example, day = numbers.drop_nulls()[0], days.drop_nulls()[0]
    sentence = f"{name}: {_count_values(count)} among the dates {'is' if count == 1 else 'are'} day numbers"
    return _Found(ClassifiedColumn(values), f"{sentence}, read as dates ({example:g} is {day:%Y-%m-%d}).")


def _infer_mixed_numbers(
    name: str, column: ClassifiedColumn, texts: pl.Series, reading: Reading
) -> _Found | None:
    """Convert the text among the numbers of a column if it is numbers with a currency or unit."""
    kinds = column.kinds
    if kinds is None or set(kinds.drop_nulls().unique()) != {"number", "text"}:
        return None
    written = TextColumn(pl.select(pl.when(kinds == "text").then(texts)).to_series())
    if written.any_match(patterns.PLAIN_NUMBER):
        return None
    parsed = parse_number_text(written, reading.decimal, reading.thousands)
    # A number cell that is shown as 15% holds 0.15, so the two may not be mixed.
    if parsed is None or not parsed.affix or parsed.affix in _SHARES:
        return None
    numbers = pl.select(pl.when(kinds == "number").then(texts)).to_series().cast(pl.Float64, strict=False)
    values = numbers.fill_null(parsed.values)
    count, present = len(parsed.values.drop_nulls()), len(kinds.drop_nulls())
    if count < MIN_AFFIX_SHARE * present or not _is_most(len(values.drop_nulls()), present):
        return None
    example = written.values.filter(parsed.values.is_not_null())[0].strip()
    sentence = f"{name}: {_count_values(count)} with {parsed.affix} among the numbers "
    sentence += f"{'is' if count == 1 else 'are'} read as {'one' if count == 1 else 'numbers'}"
    found = _as_numbers(name, TextColumn(texts), replace(parsed, values=values))
    return replace(found, guess=f"{sentence} ({example} is {parsed.values.drop_nulls()[0]:.15g}).")


def _keep_numbers(
    column: ClassifiedColumn, source: pl.Series | ClassifiedColumn, texts: pl.Series
) -> ClassifiedColumn:
    """Return a column with the cells that are numbers in the source, whatever sign the others have."""
    kinds = source.kinds if isinstance(source, ClassifiedColumn) else None
    if kinds is None or not column.values.dtype.is_numeric():
        return column
    numbers = texts.cast(pl.Float64, strict=False)
    values = pl.when(kinds == "number").then(numbers).otherwise(column.values.cast(pl.Float64))
    return replace(column, values=pl.select(values).to_series())


def _is_text_series(column: pl.Series | ClassifiedColumn) -> TypeGuard[pl.Series]:
    return isinstance(column, pl.Series) and column.dtype == pl.String


def _is_text(column: pl.Series | ClassifiedColumn) -> bool:
    if isinstance(column, ClassifiedColumn):
        return column.kinds is None and not column.nested and column.values.dtype == pl.String
    return column.dtype == pl.String


def _read_in_notation(name: str, column: TextColumn, reading: Reading) -> _Found | None:
    """Return a text column as numbers or dates if their notation is set, and most values have it."""
    sets_numbers = reading.decimal is not None or reading.thousands is not None
    if not sets_numbers and reading.date_order is None:
        return None
    found = _infer_column(name, column, reading.decimal == ",", reading)
    dtype = found.column.values.dtype
    is_set = sets_numbers if dtype.is_numeric() else dtype.is_temporal() and reading.date_order is not None
    return found if is_set else None


def _has_type(column: pl.Series | ClassifiedColumn, wanted: ColumnType) -> bool:
    if isinstance(column, ClassifiedColumn):
        return False
    if wanted == "date":
        return column.dtype.is_temporal()
    return column.dtype.is_numeric() if wanted == "number" else column.dtype == _DTYPES[wanted]


@dataclass
class _Found:
    """A column with its type, and what to say of it.

    Attributes:
        column: The column.
        guess: A sentence about this column.
        group: A phrase that all columns with this conversion share.
    """

    column: ClassifiedColumn
    guess: str = ""
    group: str = ""


def _keep_text(column: TextColumn, guess: str = "", group: str = "") -> _Found:
    return _Found(ClassifiedColumn(column.values), guess, group)


def _describe_columns(names: Sequence[str], found: Sequence[_Found]) -> list[str]:
    """Return the guesses about the columns; columns with the same conversion share a sentence."""
    guesses = []
    groups: dict[str, list[str]] = {}
    for name, each in zip(names, found, strict=True):
        if each.guess:
            guesses.append(each.guess)
        elif each.group:
            groups.setdefault(each.group, []).append(name)
    return guesses + [f"{join_names(members)}: {group}." for group, members in groups.items()]


def _infer_column(name: str, column: TextColumn, decimal_comma: bool, reading: Reading) -> _Found:
    wanted = reading.types.get(name)
    if wanted is not None:
        return _convert_column(name, column, wanted, reading)
    if not column.present:
        return _keep_text(column)
    if not column.any_match("[0-9]"):
        return _infer_words(name, column) or _keep_text(column)
    if is_identifier(name) and (sentence := explain_scientific_codes(column)):
        return _keep_text(column, f"{name} is kept as text: {sentence}.")
    if reading.thousands is not None and column.any_match(patterns.SEPARATOR):
        numbers = parse_number_text(column, reading.decimal, reading.thousands)
        if numbers is not None and numbers.values.null_count() == column.values.null_count():
            return _as_numbers(name, column, numbers)
        number, how = None, ""
    else:
        number, how = parse_number_column(column, decimal_comma)
    if how in _KEPT_AS_TEXT:
        reason = describe_code(column) if how == "code" else _KEPT_AS_TEXT[how]
        return _keep_text(column, f"{name} is kept as text: {reason}.")
    if number is not None and not how:
        if is_code(name, column.values):
            return _keep_text(column, group=_CODE_BY_NAME)
        found_dates = find_dates_in_numbers(name, number)
        if found_dates is not None:
            return _as_dates(name, column, DateText(found_dates, 0), column.present)
    if number is not None:
        texts = column.values if how else None
        return _Found(ClassifiedColumn(number, texts=texts), group=_NUMBER_PHRASES.get(how, ""))
    date, sentence = parse_dates(name, drop_names_of_offsets(column), reading.date_order)
    if sentence:
        is_mixed = date.dtype != pl.String and has_several_signs(column.values)
        return _Found(ClassifiedColumn(date, texts=column.values if is_mixed else None), sentence)
    if date.dtype != pl.String:
        texts = column.values if has_several_zones(column) else None
        phrase = _OFFSETS if column.any_match(_OFFSET) else f"read as dates, year first ({_ISO_DAY})"
        return _Found(ClassifiedColumn(date, texts=texts), group=phrase)
    return _infer_zoned(name, column, reading) or _infer_mostly(name, column, reading)


def _infer_zoned(name: str, column: TextColumn, reading: Reading) -> _Found | None:
    """Convert a column of times with zone names to UTC; None if it has no such times."""
    times = parse_zoned_times(column, reading.date_order)
    if times is None:
        return None
    found = len(times.values) - times.values.null_count()
    present = column.present
    if _is_most(found, present):
        zones = join_names(times.zones)
        odd = f"; {_count_values(present - found)} could not be read as one" if found < present else ""
        converted = "" if set(times.zones) <= _UTC_NAMES else ", and converted to UTC"
        sentence = f"{name}: read as times in {zones}{converted}{odd}."
        return _Found(ClassifiedColumn(times.values, texts=column.values), sentence)
    if not times.unknown:
        return None
    zones = join_names(times.unknown)
    return _keep_text(column, f"{name} is kept as text: it is not known which time zone {zones} means.")


def _infer_words(name: str, column: TextColumn) -> _Found | None:
    """Convert a column if most of its values are a pair such as yes and no; None if none are."""
    words = find_yes_no_words(column)
    if words is None:
        return None
    share = words.found / max(1, words.present)
    if not _is_most(words.found, words.present):
        if share < _NEARLY:
            return None
        sentence = f"{name} is kept as text: only {share:.0%} of its values are {words.spellings[0]} or "
        return _keep_text(column, f"{sentence}{words.spellings[-1]}.")
    if len(words.spellings) > 2:
        # As yes/no values, they would all be the same, and nobody would see how they are written.
        sentence = f"{name} is kept as text: its yes/no values are written in several ways, as "
        return _keep_text(column, f"{sentence}{join_names([repr(w) for w in words.spellings])}.")
    odd = words.present - words.found
    yes = words.spellings[0].strip()
    phrase = "read as yes/no values" + (f" ({yes} is yes)" if yes.lower() != "yes" else "")
    if odd:
        phrase = f"{name}: {phrase}; {_count_values(odd)} could not be read as one."
        return _Found(ClassifiedColumn(words.values, texts=column.values), phrase)
    return _Found(ClassifiedColumn(words.values, texts=column.values), group=phrase)


def _infer_mostly(name: str, column: TextColumn, reading: Reading) -> _Found:
    """Convert a column if most of its values are numbers in one notation, dates, or yes/no words."""
    as_text = _infer_words(name, column) or _keep_text(column)
    if column.share_of_first("[0-9]") < _MIN_SHARE - 0.2:
        return as_text
    present = column.present - column.count_matches(patterns.DISGUISED_NULL)
    if is_identifier(name):
        are_digits = column.count_matches(patterns.PLAIN_NUMBER) >= _NEARLY * present
        return _keep_text(column, group=_CODE_BY_NAME) if are_digits else as_text
    dates = parse_date_text(column, reading.date_order)
    found_dates = len(column) - dates.values.null_count()
    if _is_most(found_dates + dates.unresolved, present):
        if dates.unresolved > found_dates:
            return _Found(as_text.column, describe_unresolved(name, column.values))
        return _as_dates(name, column, dates, present)
    if reason := explain_unread_times(column, dates.values):
        return _Found(as_text.column, f"{name} is kept as text: {reason}.")
    if found_dates and found_dates >= _NEARLY * present:
        as_text.guess = _explain_text(name, found_dates, present, "dates")
    numbers = parse_number_text(column, reading.decimal, reading.thousands)
    found = len(column) - numbers.values.null_count() if numbers else 0
    if _is_most(column.count_matches(_SCALED), present):
        return _keep_text(
            column,
            f"{name} is kept as text: its numbers end in letters of several meanings, such as "
            f"{_first_match(column.values, _SCALED)}.",
        )
    if numbers is None:
        if _is_most(column.count_matches(_SPACED_DIGITS), present):
            example = _first_match(column.values, _SPACED_DIGITS)
            as_text.guess = f"{name} is kept as text: its digits may be codes, such as {example}."
        return as_text
    if not found:
        return as_text
    strays = _find_strays(column, numbers) if present - found > _FEW_STRAYS * present else None
    if strays is not None and _are_codes(strays):
        if found / present >= _NEARLY:
            code = _first_match(strays, _CODE)
            as_text.guess = f"{name} is kept as text: it has not only digits but also codes such as {code}."
        return as_text
    if not _is_most(found, present):
        if found >= _NEARLY * present:
            as_text.guess = _explain_text(name, found, present, "numbers")
        return as_text
    return _as_numbers(name, column, numbers)


def _first_match(values: pl.Series, pattern: str) -> str:
    """Return the first value that matches a pattern, which one does, as an example."""
    return str(values.filter(values.str.contains(pattern))[0]).strip()


def _as_dates(name: str, column: TextColumn, dates: DateText, present: int) -> _Found:
    odd = present - int(dates.values.is_not_null().sum())
    written = column.values.filter(dates.values.is_not_null()).head(QUICK_CHECK_ROWS).str.strip_chars()
    values = dates.values.drop_nulls().head(QUICK_CHECK_ROWS)
    days = pl.Series([str(value).removesuffix(" 00:00:00") for value in values], dtype=pl.String)
    # The example should show the notation: the first that is not written as the result.
    place = int((written != days).arg_max() or 0)
    example = f" ({written[place]} is {days[place]})" if written[place] != days[place] else ""
    guess = f"{name}: read as dates{example}"
    guess += f"; {_count_values(odd)} could not be read as one." if odd > 0 else "."
    return _Found(ClassifiedColumn(dates.values, texts=column.values), guess)


def _as_numbers(name: str, column: TextColumn, numbers: NumberText) -> _Found:
    values = numbers.values
    finite = values.drop_nulls()
    is_exact = not len(finite) or (finite.min() > -(2**53) and finite.max() < 2**53)  # type: ignore[operator]
    if is_exact and (finite == finite.cast(pl.Int64)).all():
        values = values.cast(pl.Int64)
    if column.any_match(patterns.INFINITE):
        infinite = column.values.str.contains(patterns.INFINITE)
        text = column.values.str.strip_chars().str.to_lowercase()
        values = pl.select(
            pl.when(infinite)
            .then(pl.when(text.str.starts_with("-")).then(float("-inf")).otherwise(float("inf")))
            .otherwise(values.cast(pl.Float64))
        ).to_series()
    written = column.values.filter(numbers.values.is_not_null())
    # The example should show the notation: the longest of the first values.
    place = int(written.head(QUICK_CHECK_ROWS).str.len_chars().arg_max() or 0)
    number = finite[place]
    unit = f" with the unit {numbers.affix}" if numbers.affix else ""
    # No number is a placeholder, so all other values that are not missing could not be read.
    read = len(values) - values.null_count()
    unread = column.present - column.count_matches(patterns.DISGUISED_NULL) - read
    odd = f"; {_count_values(unread)} could not be read as one" if unread else ""
    text, shown = written[place].strip(), f"{number:.15g}"
    example = f" ({text} is {shown})" if text != shown else ""
    guess = f"{name}: read as numbers{unit}{example}{odd}."
    return _Found(ClassifiedColumn(values, texts=column.values), guess)


def _convert_column(name: str, column: TextColumn, wanted: ColumnType, reading: Reading) -> _Found:
    """Convert a column to the type that the user chose; values that do not fit keep their text."""
    texts = column.values
    if wanted == "text":
        return _keep_text(column, group="kept as text, as set")
    if wanted == "number":
        numbers = parse_number_text(column, reading.decimal, reading.thousands)
        if numbers is not None and len(numbers.values.drop_nulls()):
            return _as_numbers(name, column, numbers)
        values: pl.Series = texts.str.strip_chars().str.strip_prefix("+").cast(pl.Float64, strict=False)
    elif wanted == "date":
        values = parse_date_text(column, reading.date_order).values
        if not len(values.drop_nulls()):
            numbers_as_dates = find_day_numbers(_DATE_NAME, texts.cast(pl.Float64, strict=False))
            values = values if numbers_as_dates is None else numbers_as_dates
    else:
        values = texts.str.strip_chars().str.to_lowercase().replace_strict(YES_NO, default=None)
    if not len(values.drop_nulls()):
        kind = _TYPE_NAMES[wanted]
        return _keep_text(column, f"{name} is kept as text: none of its values could be read as {kind}.")
    return _Found(ClassifiedColumn(values, texts=texts), group=f"read as {_TYPE_NAMES[wanted]}, as set")


def is_null_word(column: pl.Series, words: Sequence[str]) -> pl.Series:
    """Return which cells of a text column have one of the words for a missing value, in any case."""
    chosen = [word.strip().lower() for word in words]
    return column.str.strip_chars().str.to_lowercase().is_in(chosen).fill_null(value=False)


def _explain_text(name: str, found: int, present: int, kind: str) -> str:
    if present < _MIN_VALUES:
        return (
            f"{name} is kept as text: {_count_values(present)} cannot show whether it is a column of {kind}."
        )
    return f"{name} is kept as text: only {found / present:.0%} of its values are {kind}."


def _is_most(fitting: int, present: int) -> bool:
    return present >= _MIN_VALUES and fitting >= _MIN_SHARE * present


def _find_strays(column: TextColumn, numbers: NumberText) -> pl.Series:
    """Return the values that are no numbers, nor stand for a missing one."""
    placeholder = column.values.str.contains(patterns.DISGUISED_NULL).fill_null(value=True)
    return column.values.filter(numbers.values.is_null() & ~placeholder)


def _are_codes(strays: pl.Series) -> bool:
    """Return whether the values that are no numbers are codes such as 14B, so that the others may be too."""
    return float(strays.str.contains(_CODE).mean() or 0.0) > 0.5  # type: ignore[arg-type]


def _count_values(count: int) -> str:
    return "1 value" if count == 1 else f"{count:,} values"
