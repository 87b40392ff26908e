"""The formats in which reports and lists of findings are exported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lavendertown.core.errors import InvalidInputError
from lavendertown.interchange.exports.content import ExportContent
from lavendertown.interchange.exports.html_page import write_html
from lavendertown.interchange.exports.json_document import write_json
from lavendertown.interchange.exports.markdown import write_markdown
from lavendertown.interchange.exports.sarif import write_sarif
from lavendertown.interchange.exports.tables import write_csv, write_excel, write_parquet


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A format of exported files.

    Attributes:
        name: The name on the command line.
        label: What people call it.
        ending: The ending of file names, with its dot.
        media_type: The media type of the content.
        write: Returns the content of a file.
        is_text: Whether the content is text in UTF-8, which can be printed.
    """

    name: str
    label: str
    ending: str
    media_type: str
    write: Callable[[ExportContent], bytes]
    is_text: bool = True


EXPORT_FORMATS: tuple[ExportFormat, ...] = (
    ExportFormat("json", "JSON", ".json", "application/json", write_json),
    ExportFormat("csv", "CSV", ".csv", "text/csv", write_csv),
    ExportFormat(
        "excel",
        "Excel",
        ".xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        write_excel,
        is_text=False,
    ),
    ExportFormat(
        "parquet", "Parquet", ".parquet", "application/vnd.apache.parquet", write_parquet, is_text=False
    ),
    ExportFormat("markdown", "Markdown", ".md", "text/markdown", write_markdown),
    ExportFormat("html", "HTML", ".html", "text/html", write_html),
    ExportFormat("sarif", "SARIF", ".sarif", "application/sarif+json", write_sarif),
)
EXPORT_FORMAT_NAMES = tuple(each.name for each in EXPORT_FORMATS)


def find_export_format(name: str) -> ExportFormat:
    """Return the format with this name.

    Raises:
        InvalidInputError: There is no such format.
    """
    for each in EXPORT_FORMATS:
        if each.name == name:
            return each
    raise InvalidInputError(f"The format {name!r} is unknown; use one of {', '.join(EXPORT_FORMAT_NAMES)}.")
