"""Fetch files from s3://, gs:// and https:// with DuckDB's extension httpfs, and read them as tables."""

from __future__ import annotations

import importlib
import os
import re
import tempfile
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from lavendertown.core.errors import UnreadableTableError
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS, FileLimits
from lavendertown.core.reading import DETECT, Reading
from lavendertown.tables.files import read_table
from lavendertown.tables.sources.part_files import read_part_files
from lavendertown.tables.table import Table

_SCHEMES = ("s3", "gs", "https", "http")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PATTERN_SCHEMES = ("s3", "gs")
"""In an http address, ``?`` begins the query, and a server has no list of files."""

_MEMBER_SIGN = "::"
_MAX_NAME = 200
_ANY_URL = re.compile(r"""\b(?:s3|gs|https?)://[^\s"'<>]+""")
_INSTALL = "python -c \"import duckdb; duckdb.sql('INSTALL httpfs')\""
_S3_VARIABLES = {
    "KEY_ID": ("AWS_ACCESS_KEY_ID",),
    "SECRET": ("AWS_SECRET_ACCESS_KEY",),
    "SESSION_TOKEN": ("AWS_SESSION_TOKEN",),
    "REGION": ("AWS_REGION", "AWS_DEFAULT_REGION"),
}
_GCS_VARIABLES = {"KEY_ID": ("GCS_KEY_ID",), "SECRET": ("GCS_SECRET",)}


def is_remote_url(source: str) -> bool:
    """Return whether the text is the URL of a file on a web server or in an object store."""
    return source.partition("://")[0].lower() in _SCHEMES and "://" in source


def describe_remote_url(url: str) -> str:
    """Return a URL for messages, without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return f"{url.partition('://')[0]}://"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def read_remote_table(
    url: str,
    limits: FileLimits = DEFAULT_FILE_LIMITS,
    reading: Reading = DETECT,
    *,
    member: str | None = None,
) -> Table:
    """Read a file from a web server or an object store; it is fetched whole, into a temporary folder.

    Args:
        url: ``https://host/orders.csv``, ``s3://bucket/orders.parquet`` or ``gs://bucket/orders.csv``; a
            pattern such as ``s3://bucket/orders-*.parquet`` is read as one table. ``http://`` is allowed for
            this machine only. Keys for object stores are taken from the environment (``AWS_ACCESS_KEY_ID``,
            …; ``GCS_KEY_ID`` and ``GCS_SECRET``) or from DuckDB's stored secrets.
        limits: The limits on the size of the files and of the table.
        reading: Settings that are known; the others are detected.
        member: A file in a zip archive or a table in a database file; also as ``URL::member``.

    Raises:
        FileLimitError: A file or the table exceeds a limit.
        UnreadableTableError: duckdb or its extension is not installed, the file cannot be fetched, or it
            cannot be read as a table.
    """
    url, named = _split_member(url)
    with tempfile.TemporaryDirectory(prefix="lavendertown-remote-") as folder:
        files = fetch_remote_files(url, Path(folder), limits)
        if len(files) > 1:
            return read_part_files(files, limits, reading)
        return read_table(files[0], limits=limits, reading=reading, member=member or named)


def fetch_remote_files(url: str, folder: Path, limits: FileLimits = DEFAULT_FILE_LIMITS) -> list[Path]:
    """Copy the file at a URL, or the files that match a pattern, into a folder, sorted by their URL.

    Raises:
        FileLimitError: The files together are larger than the limit.
        UnreadableTableError: As for :func:`read_remote_table`.
    """
    shown = describe_remote_url(url)
    parts = _check_url(url, shown)
    duckdb = _import_duckdb(shown)
    # Without these settings DuckDB would download and run extensions by itself.
    offline = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    with closing(duckdb.connect(config=offline)) as connection:
        _load_extension(duckdb, connection, shown)
        try:
            _verify_certificates(connection)
            _create_secret(connection, parts.scheme)
            found = connection.execute("SELECT filename, size FROM read_blob(?)", [url]).fetchall()
            size = sum(int(each) for _, each in found)
            limits.check_size(size, shown)
            files = [
                _fetch_file(connection, str(address), folder / str(number), limits)
                for number, (address, _) in enumerate(sorted(found))
            ]
        except duckdb.Error as error:
            raise UnreadableTableError(
                f"{shown} cannot be fetched: {_describe_error(error)}. Check the address and the access "
                "keys, or download the file and give its path."
            ) from None  # the error may quote a signed address
    if not files:
        raise UnreadableTableError(f"No file matches {shown}; check the pattern.")
    return files


def _split_member(url: str) -> tuple[str, str | None]:
    # The address of a server may contain the sign: http://[::1]/orders.zip
    start = url.find("/", url.find("://") + 3)
    at = url.find(_MEMBER_SIGN, start) if start > 0 else -1
    return (url, None) if at < 0 else (url[:at], url[at + len(_MEMBER_SIGN) :] or None)


def _check_url(url: str, shown: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if not host:
        raise UnreadableTableError(f"{shown} names no server or bucket; write it as https://host/orders.csv.")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise UnreadableTableError(f"{shown} is not encrypted; write https:// in place of http://.")
    if parts.scheme in _PATTERN_SCHEMES and not parts.path.strip("/"):
        raise UnreadableTableError(f"{shown} names no file; write it as {parts.scheme}://bucket/orders.csv.")
    return parts


def _import_duckdb(shown: str) -> Any:
    try:
        return importlib.import_module("duckdb")
    except ImportError as error:
        raise UnreadableTableError(
            f"{shown} is read with DuckDB; install it (pip install lavendertown[duckdb]) and its extension "
            f"({_INSTALL}), or download the file and give its path."
        ) from error


def _load_extension(duckdb: Any, connection: Any, shown: str) -> None:
    try:
        connection.execute("LOAD httpfs")
    except duckdb.Error as error:
        raise UnreadableTableError(
            f"{shown} is read with DuckDB's extension httpfs, which is not installed for DuckDB "
            f"{duckdb.__version__}; install it with internet access ({_INSTALL}), or download the file and "
            "give its path."
        ) from error


def _verify_certificates(connection: Any) -> None:
    """Refuse servers without a trusted certificate; ``SSL_CERT_FILE`` names own authorities."""
    connection.execute("SET enable_server_cert_verification = true")
    authorities = os.environ.get("SSL_CERT_FILE")
    if authorities:
        connection.execute(f"SET ca_cert_file = '{_escape(authorities)}'")


def _create_secret(connection: Any, scheme: str) -> None:
    """Give DuckDB the access keys of the environment; without them it uses its own stored secrets."""
    if scheme not in _PATTERN_SCHEMES:
        return
    kind, variables = ("s3", _S3_VARIABLES) if scheme == "s3" else ("gcs", _GCS_VARIABLES)
    values = {
        name: value
        for name, names in variables.items()
        if (value := next((os.environ[each] for each in names if os.environ.get(each)), None))
    }
    if "KEY_ID" not in values or "SECRET" not in values:
        return
    endpoint = os.environ.get("AWS_ENDPOINT_URL" if kind == "s3" else "STORAGE_EMULATOR_HOST")
    if endpoint:
        own = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
        values |= {"ENDPOINT": own.netloc + own.path.rstrip("/"), "URL_STYLE": "path"}
        values["USE_SSL"] = "false" if own.scheme == "http" else "true"
    options = ", ".join(f"{name} '{_escape(value)}'" for name, value in values.items())
    connection.execute(f"CREATE SECRET (TYPE {kind}, {options})")


def _escape(text: str) -> str:
    return text.replace("'", "''")


def _fetch_file(connection: Any, address: str, folder: Path, limits: FileLimits) -> Path:
    (content,) = connection.execute("SELECT content FROM read_blob(?)", [address]).fetchone()
    limits.check_size(len(content), describe_remote_url(address))
    folder.mkdir()
    file = folder / _file_name(address)
    file.write_bytes(content)
    return file


def _file_name(address: str) -> str:
    name = PurePosixPath(unquote(urlsplit(address).path)).name.replace("\x00", "")[-_MAX_NAME:]
    return name if name not in ("", ".", "..") else "data"


def _describe_error(error: Exception) -> str:
    """Return the first line of an error, with each URL in it shown without its secrets."""
    first = str(error).strip().partition("\n")[0].rstrip(".")
    return _ANY_URL.sub(lambda match: describe_remote_url(match[0]), first) or type(error).__name__
