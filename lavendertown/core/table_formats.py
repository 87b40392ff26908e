"""The formats of data files: their names, labels and file name endings.

The command line reads them without loading the libraries that read the files.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TableFormat:
    """A format of data files.

    Attributes:
        name: The name in options.
        phrase: The label with its article: ``"an Excel"``.
        endings: The file name endings, the usual one first.
        is_binary: Whether every file has a signature, so that text with such an ending is refused.
    """

    name: str
    phrase: str
    endings: tuple[str, ...]
    is_binary: bool = True

    @property
    def label(self) -> str:
        """The name in messages."""
        return self.phrase.partition(" ")[2]


TABLE_FORMATS = (
    TableFormat("csv", "a CSV", ("csv", "tsv", "tab", "psv", "txt"), is_binary=False),
    TableFormat("parquet", "a Parquet", ("parquet", "pq")),
    TableFormat("excel", "an Excel", ("xlsx", "xlsm", "xls", "xlsb", "ods")),
    TableFormat("json", "a JSON", ("json",), is_binary=False),
    TableFormat("jsonl", "a JSON lines", ("jsonl", "ndjson"), is_binary=False),
    TableFormat("arrow", "an Arrow", ("feather", "arrow", "ipc", "arrows")),
    TableFormat("orc", "an ORC", ("orc",)),
    TableFormat("avro", "an Avro", ("avro",)),
)

ENDINGS = {each.name: each.endings for each in TABLE_FORMATS}
"""The file name endings by format."""

FILE_ENDINGS = (*(ending for each in TABLE_FORMATS for ending in each.endings), "gz", "zip")
"""The endings of the data files in a folder; a single file may have any ending."""
