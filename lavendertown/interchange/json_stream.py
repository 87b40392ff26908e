"""Read the needed parts of a large JSON file, item by item, without holding the file in memory."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, BinaryIO

import ijson
import orjson

from lavendertown.core.errors import InvalidInputError
from lavendertown.interchange.runs import MAX_POSITIONS
from lavendertown.interchange.sources import ImportFileError, ResultFile

MAX_DEPTH = 60
MAX_TEXT = 20_000
"""The maximum number of characters of a text that is kept; longer texts are SQL, logs and traces."""
MAX_SAMPLED = 1_000
"""The maximum number of items that are kept of an array of which a few are needed."""
OUTLINE_BYTES = 4 * 1024 * 1024
"""The number of bytes at the start of a file by which its format is recognized."""
_MAX_OUTLINE_EVENTS = 50_000
_MAX_RELOCATED_BYTES = 64 * 1024 * 1024
_CHUNK = 256 * 1024
_INT64 = 2**63

Path = tuple[str, ...]
"""Keys from the root to a value; ``[]`` for the items of an array."""

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|-?(?:NaN|Infinity)\b|-?[0-9][0-9.eE+-]*+', re.DOTALL)
_MAX_NUMBER = 400
"""The maximum number of characters of a number; the parser crashes on those that Python does not convert."""
_LONG_EXPONENT = re.compile(rb"[eE][+-]?[0-9]{5}")


@dataclass(frozen=True, slots=True)
class Outline:
    """What the start of a JSON file contains.

    Attributes:
        paths: The paths of values, such as ``results/[]/unique_id``.
        texts: The first short text at each path.
    """

    paths: frozenset[str]
    texts: Mapping[str, str]

    def has(self, *paths: str) -> bool:
        """Return whether all these paths occur."""
        return self.paths.issuperset(paths)


def read_outline(file: ResultFile) -> Outline:
    """Return the outline of a JSON file; of a large file, that of its start.

    Raises:
        ImportFileError: The content is not JSON.
    """
    paths: set[str] = set()
    texts: dict[str, str] = {}
    path: list[str] = []
    # Without duplicates the set stays small, whatever the number of items.
    start = _Limited(file.open_bytes(), OUTLINE_BYTES)
    try:
        events = _parse_events(_clean_stream(file, start))
        for event, value in itertools.islice(events, _MAX_OUTLINE_EVENTS):
            if event == "map_key":
                path[-1] = value
            elif event in ("end_map", "end_array"):
                path.pop()
            else:
                joined = "/".join(path)
                paths.add(joined)
                if event == "string" and len(value) <= MAX_TEXT:
                    texts.setdefault(joined, value)
                if event == "start_map":
                    path.append("")
                elif event == "start_array":
                    path.append("[]")
                _check_depth(len(path), file)
    except (ijson.JSONError, ValueError) as error:
        if isinstance(error, InvalidInputError):
            raise
        if not start.was_cut:
            raise _locate_error(file) from error
    return Outline(frozenset(paths), texts)


def read_items(
    file: ResultFile,
    items: Sequence[str],
    header: Collection[str] = (),
    dropped: Collection[str] = (),
    sampled: Collection[str] = (),
) -> Iterator[tuple[Path, Any]]:
    """Yield the items of a JSON file in their order, and at last the header.

    Only what the arguments name is kept in memory. Texts are cut after :data:`MAX_TEXT` characters, arrays
    of plain values after :data:`~lavendertown.interchange.runs.MAX_POSITIONS`. Several JSON values in a row
    (JSON lines) are read as several roots.

    Args:
        file: The file.
        items: Paths of items, such as ``results/[]`` or ``run_results/*/results/[]``. ``*`` matches any key;
            an empty path yields the roots themselves.
        header: Keys of the root object to collect in the header.
        dropped: Keys that are left out of all values.
        sampled: Keys of arrays of which the first :data:`MAX_SAMPLED` items are kept.

    Yields:
        The path (with positions in place of ``[]``) and the value of each item; then the empty path and the
        header, a dictionary, unless the roots are items.

    Raises:
        ImportFileError: The content is not JSON, or is nested more than :data:`MAX_DEPTH` times.
    """
    reader = _ItemReader(file, items, header, dropped, sampled)
    try:
        yield from reader.read_roots()
    except (ijson.JSONError, ValueError) as error:
        if isinstance(error, InvalidInputError):
            raise
        raise _locate_error(file) from error
    if "" not in items:
        yield (), reader.header


_WANTED = "\0wanted"
_HEADER = "\0header"
_Trie = dict[str, Any]


class _ItemReader:
    """Walks through the events of a parser, and builds only the wanted values."""

    def __init__(
        self,
        file: ResultFile,
        items: Sequence[str],
        header: Collection[str],
        dropped: Collection[str],
        sampled: Collection[str],
    ) -> None:
        self.header: dict[str, Any] = {}
        self._file = file
        self._dropped = frozenset(dropped)
        self._sampled = frozenset(sampled)
        self._trie: _Trie = {}
        self._mark_paths(items, _WANTED)
        self._mark_paths(header, _HEADER)
        self._events = _parse_events(_clean_stream(file, file.open_bytes()))

    def read_roots(self) -> Iterator[tuple[Path, Any]]:
        """Yield the wanted items of all root values."""
        for event, value in self._events:
            yield from self._read_value(event, value, self._trie, ())

    def _mark_paths(self, paths: Collection[str], mark: str) -> None:
        for path in paths:
            node = self._trie
            for key in path.split("/") if path else ():
                node = node.setdefault(key, {})
            node[mark] = True

    def _read_value(self, event: str, value: Any, trie: _Trie, path: Path) -> Iterator[tuple[Path, Any]]:
        if _WANTED in trie:
            yield path, self._build_value(event, value, len(path))
        elif _HEADER in trie:
            self.header["/".join(path)] = self._build_value(event, value, len(path))
        elif event == "start_map":
            for end_or_key, key in self._events:
                if end_or_key == "end_map":
                    return
                event, value = next(self._events)
                child = trie.get(key, trie.get("*"))
                if child is None:
                    self._skip_value(event, len(path))
                else:
                    yield from self._read_value(event, value, child, (*path, _clean_text(key)))
        elif event == "start_array":
            child = trie.get("[]")
            for position, (event, value) in enumerate(self._events):
                if event == "end_array":
                    return
                if child is None:
                    self._skip_value(event, len(path))
                else:
                    yield from self._read_value(event, value, child, (*path, str(position)))

    def _skip_value(self, event: str, depth: int) -> None:
        if not event.startswith("start_"):
            return
        inner_depth = 1
        for event, _ in self._events:
            if event.startswith("start_"):
                inner_depth += 1
                _check_depth(depth + inner_depth, self._file)
            elif event.startswith("end_"):
                inner_depth -= 1
                if not inner_depth:
                    return

    def _build_value(self, event: str, value: Any, depth: int) -> Any:
        if not event.startswith("start_"):
            return _clean_scalar(value)
        root: Any = {} if event == "start_map" else []
        parents, key = [root], ""
        sample: list[Any] | None = None
        for event, value in self._events:
            if event == "map_key":
                key = _clean_text(value)
                if value in self._dropped:
                    event, value = next(self._events)
                    self._skip_value(event, depth + len(parents))
                continue
            if event in ("end_map", "end_array"):
                parents.pop()
                if not parents:
                    break
                continue
            is_container = event.startswith("start_")
            if parents[-1] is sample and len(sample) >= MAX_SAMPLED:
                self._skip_value(event, depth + len(parents))
                continue
            if is_container:
                made: Any = {} if event == "start_map" else []
                _check_depth(depth + len(parents), self._file)
            else:
                made = _clean_scalar(value)
            parent = parents[-1]
            if isinstance(parent, dict):
                parent[key] = made
                sample = made if event == "start_array" and key in self._sampled else sample
            elif is_container or len(parent) < MAX_POSITIONS:
                parent.append(made)
            if is_container:
                parents.append(made)
        return root


def _parse_events(stream: Any) -> Iterator[tuple[str, Any]]:
    events: Iterator[tuple[str, Any]] = ijson.basic_parse(stream, buf_size=_CHUNK, multiple_values=True)
    return events


def _clean_scalar(value: Any) -> Any:
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, Decimal) or (isinstance(value, int) and not -_INT64 <= value < _INT64):
        try:
            number = float(value)
        except OverflowError:
            return None
        return number if math.isfinite(number) else None
    return value


def _clean_text(text: str) -> str:
    """Return a text that every store accepts, without NUL characters and lone surrogates."""
    text = text[:MAX_TEXT]
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _check_depth(depth: int, file: ResultFile) -> None:
    if depth > MAX_DEPTH:
        raise ImportFileError(
            f"{file.name} is nested more than {MAX_DEPTH} times, deeper than any known format of results; "
            "export the results again."
        )


class _Limited:
    """The start of a stream."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self._left = stream, size
        self.was_cut = False

    def read(self, size: int = -1) -> bytes:
        if not self._left and size:
            self.was_cut = self.was_cut or bool(self._stream.read(1))
            return b""
        data = self._stream.read(min(size, self._left) if size >= 0 else self._left)
        self._left = max(self._left - len(data), 0)
        return data


class _CleanedStream:
    """A stream of JSON in which null replaces bare NaN and infinities, and numbers of extreme length."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        if not size:
            return b""
        while True:
            # Reading as much as is left over keeps the time linear if a text is longer than a chunk.
            chunk = self._stream.read(max(_CHUNK, len(self._rest)))
            data = self._rest + chunk
            # An unfinished token at the end waits for the next chunk.
            end = _last_boundary(data) if chunk else len(data)
            self._rest = data[end:]
            if end or not chunk:
                return _TOKEN.sub(_replace_token, data[:end])


def _clean_stream(file: ResultFile, stream: Any) -> Any:
    return _CleanedStream(stream) if file.needs_cleaning else stream


def _replace_token(match: re.Match[bytes]) -> bytes:
    token = match[0]
    if token.startswith(b'"'):
        return token
    is_number = token[-1:].isdigit() and len(token) <= _MAX_NUMBER and not _LONG_EXPONENT.search(token)
    return token if is_number else b"null"


def _last_boundary(data: bytes) -> int:
    """Return the end of the last token of JSON that is certainly complete."""
    outside = _TOKEN.sub(lambda match: _blank_text(match[0]), data)
    quote = outside.find(b'"')
    if quote >= 0:
        return quote
    return len(outside.rstrip(_WORD_BYTES))


_WORD_BYTES = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-"


def _blank_text(token: bytes) -> bytes:
    return b" " * len(token) if token.startswith(b'"') else token


def _locate_error(file: ResultFile) -> ImportFileError:
    """Return an error that names the line of the first mistake."""
    data = file.open_bytes().read(_MAX_RELOCATED_BYTES)
    place = ""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(data) - 4 or len(data) < _MAX_RELOCATED_BYTES:
            line = data.count(b"\n", 0, error.start) + 1
            return ImportFileError(
                f"{file.name} is not UTF-8 text in line {line:,}; save it as UTF-8 and import it again."
            )
    if len(data) < _MAX_RELOCATED_BYTES:
        try:
            orjson.loads(data)
        except orjson.JSONDecodeError as error:
            place = f" in line {error.lineno:,}, column {error.colno:,}"
            if error.pos >= len(error.doc.rstrip()) - 1:
                return ImportFileError(
                    f"{file.name} ends in the middle of a value{place}; it is incomplete. Copy or export it "
                    "again."
                )
    return ImportFileError(f"{file.name} is not valid JSON{place}; export the results again.")
