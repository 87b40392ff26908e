"""The change feed of a data folder, read from its append-only audit files."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

from lavendertown.records.change_feed import Change, ChangePage, read_cursor, write_cursor, wrong_cursor
from lavendertown.stores.files import formats
from lavendertown.stores.files.audit_files import (
    CHECKED_BYTES,
    checksum_before,
    end_of_last_line,
    is_same_file,
    list_audit_files,
    read_lines,
    read_tail,
)
from lavendertown.stores.files.json_fields import UnreadableError


def read_changes(folder: Path, cursor: str, limit: int) -> ChangePage:
    """Return the events after a cursor.

    Raises:
        InvalidInputError: The cursor does not belong to this log.
    """
    position = read_cursor(cursor)
    files = list_audit_files(folder)
    if not position.keys() <= {path.name for path in files}:
        raise wrong_cursor()
    changes: list[Change] = []
    for path in files:
        offset = _checked_offset(path, position.get(path.name))
        tail = read_tail(path, offset)
        for line in read_lines(path, offset):
            if len(changes) == limit:
                return ChangePage(changes, write_cursor(position), True)
            offset += len(line)
            tail = (tail + line)[-CHECKED_BYTES:]
            position = {**position, path.name: [offset, zlib.crc32(tail)]}
            try:
                event = formats.read_event(line, f"{path.stem}:{offset}")
            except UnreadableError:
                # FileStore.unreadable_items reports it. An error here would block every reader forever.
                continue
            changes.append(Change(event, write_cursor(position)))
    return ChangePage(changes, write_cursor(position) if position else "", False)


def read_end(folder: Path) -> str:
    """Return the cursor after the newest event."""
    position: dict[str, Any] = {}
    for path in list_audit_files(folder):
        end = end_of_last_line(path)
        position[path.name] = [end, checksum_before(path, end)]
    return write_cursor(position) if position else ""


def _checked_offset(path: Path, file_position: Any) -> int:
    """Return the offset of the next event in a file; 0 for a file that is not in the cursor."""
    if file_position is None:
        return 0
    try:
        offset, checksum = file_position
        if is_same_file(path, int(offset), checksum):
            return int(offset)
    except (TypeError, ValueError):
        pass
    raise wrong_cursor()
