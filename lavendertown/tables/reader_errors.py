"""Translate exceptions of file readers into error messages."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import fastexcel
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]

from lavendertown.core.errors import UnreadableTableError

_READER_ERRORS = (
    pl.exceptions.PolarsError,
    pa.ArrowException,
    fastexcel.FastExcelError,
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    UnicodeError,
    NotImplementedError,  # raised by zipfile for an unsupported version or compression
)


def is_panic(error: BaseException) -> bool:
    """Return whether a Rust library panicked; each library has its own BaseException of that name."""
    return type(error).__name__ == "PanicException"


def is_reader_error(error: BaseException) -> bool:
    """Return whether the error means that a library could not read its input."""
    return isinstance(error, _READER_ERRORS) or is_panic(error)


@contextmanager
def translate_reader_errors(name: str, file_format: str) -> Iterator[None]:
    """Raise UnreadableTableError, with one sentence about the file, for the errors of readers.

    Args:
        name: The file's name.
        file_format: The format it was read as, such as ``"Parquet"``.

    Raises:
        UnreadableTableError: A reader failed; its error is the cause.
    """
    try:
        yield
    except RecursionError as error:
        raise UnreadableTableError(
            f"{name} is nested too deeply to be read as a table; flatten it first."
        ) from error
    except MemoryError as error:
        raise UnreadableTableError(f"{name} needs more memory than is available; split the file.") from error
    except BaseException as error:
        if not is_reader_error(error):
            raise
        raise UnreadableTableError(
            f"{name} is a damaged or truncated {file_format} file; export it again."
        ) from error
