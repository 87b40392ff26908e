"""What every importer provides: how its format is recognized, and how it is read."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from lavendertown.core import clock, json_codec
from lavendertown.core.dataset_names import dataset_name
from lavendertown.interchange.json_stream import Outline, read_outline
from lavendertown.interchange.runs import ImportedRun
from lavendertown.interchange.sources import ImportFileError, ResultFile
from lavendertown.profile.evidence import Value

MAX_VALUE = 120
"""The maximum number of characters of a value that is kept as evidence."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is known about a file before it is read.

    Attributes:
        outline: The outline of a JSON file; empty for other files.
        root_tag: The tag of the root element of an XML file, without its namespace; empty for other files.
        columns: The header of a CSV file; empty for other files.
    """

    outline: Outline = field(default_factory=lambda: Outline(frozenset(), {}))
    root_tag: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportFormat:
    """A format of result files.

    Attributes:
        name: The name on the command line.
        label: What a file of this format is called in sentences.
        matches: Whether a file with this content has the format.
        read: Reads the runs of a file. The second argument has the files that only describe other files
            (dbt manifests).
        describes_other_files: Whether files of the format contain no results.
    """

    name: str
    label: str
    matches: Callable[[Content], bool]
    read: Callable[[ResultFile, Sequence[ResultFile]], list[ImportedRun]]
    describes_other_files: bool = False


def read_content(file: ResultFile) -> Content:
    """Return what is needed to recognize the format of a file.

    Raises:
        ImportFileError: The file is neither JSON, XML nor a table in CSV.
    """
    first = file.first_character()
    if first in (b"{", b"["):
        return Content(outline=read_outline(file))
    if first == b"<":
        return Content(root_tag=_read_root_tag(file))
    return Content(columns=_read_columns(file))


def _read_root_tag(file: ResultFile) -> str:
    for _, element in iterate_xml(file, ("start",)):
        return local_name(element.tag)
    return ""


def iterate_xml(file: ResultFile, events: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Yield the events of an XML file, such as ``("end", element)``; the caller clears the elements.

    Raises:
        ImportFileError: The content is not XML, or declares a document type or entities.
    """
    try:
        # The declaration names the encoding of the file, so that the file must not be recoded.
        yield from ElementTree.iterparse(file.open_unchanged(), events=events, forbid_dtd=True)
    except DefusedXmlException as error:
        raise ImportFileError(
            f"{file.name} declares a document type or entities, which is not accepted because they can "
            "expand without limit; remove the declaration."
        ) from error
    except ParseError as error:
        line, column = error.position
        raise ImportFileError(
            f"{file.name} is not valid XML in line {line:,}, column {column + 1:,}; export the results again."
        ) from error
    except (ValueError, LookupError) as error:
        raise ImportFileError(
            f"{file.name} has an encoding that cannot be read; save it as UTF-8 and import it again."
        ) from error


def local_name(tag: str) -> str:
    """Return the name of an XML element without its namespace."""
    return tag.rpartition("}")[2]


def _read_columns(file: ResultFile) -> tuple[str, ...]:
    try:
        rows = csv.reader(file.open_text("replace"))
        return tuple(name.strip() for name in next(rows, []))
    except csv.Error:
        return ()


def read_csv_rows(file: ResultFile) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file as dictionaries; missing cells are empty, and blank lines are skipped.

    Raises:
        ImportFileError: The content is not UTF-8, or not CSV.
    """
    rows = csv.DictReader(file.open_text(), restval="")
    try:
        for row in rows:
            if not any(cell and cell.strip() for name, cell in row.items() if name):
                continue
            yield {str(key).strip(): (value or "").replace("\0", "") for key, value in row.items() if key}
    except (UnicodeDecodeError, csv.Error) as error:
        raise ImportFileError(
            f"{file.name} is not a CSV file in UTF-8 after line {rows.line_num:,}; export the results again."
        ) from error


def read_time(value: Any) -> dt.datetime | None:
    """Return a time from ISO 8601 text or from seconds or milliseconds since 1970; None if it is neither.

    A time without a zone is UTC, which all supported tools write.
    """
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            seconds = value / 1000 if value > 100_000_000_000 else value
            return dt.datetime.fromtimestamp(seconds, clock.UTC)
        return clock.parse_time(str(value).strip(), clock.UTC) if value else None
    except (ValueError, OverflowError, OSError):
        return None


def read_text(value: Any) -> str:
    """Return a text; anything else, such as a missing value, is empty."""
    return value if isinstance(value, str) else ""


def read_mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping; anything else is an empty one."""
    return value if isinstance(value, Mapping) else {}


def read_list(value: Any) -> list[Any]:
    """Return a list; anything else is an empty one."""
    return value if isinstance(value, list) else []


def read_count(value: Any) -> int | None:
    """Return a number that is not negative as a whole number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 2**53:
        return None
    return int(value)


def read_number(value: Any) -> float | None:
    """Return a number; None for anything else."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def read_value(value: Any) -> Value:
    """Return a value of a failing row as it is kept: a number, a truth value, None, or a short text."""
    if value is None or isinstance(value, (bool, float)) or (isinstance(value, int) and abs(value) < 2**53):
        return value
    text = value if isinstance(value, str) else json_codec.dumps(json_codec.to_jsonable(value)).decode()
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"


def read_positions(value: Any) -> list[int] | None:
    """Return a list of 0-based row positions; None if it is anything else."""
    if not isinstance(value, list) or not value:
        return None
    if not all(isinstance(each, int) and not isinstance(each, bool) and each >= 0 for each in value):
        return None
    return value


def name_from_file(file: ResultFile) -> str:
    """Return the dataset that the name of a file suggests."""
    return dataset_name(file.name)
