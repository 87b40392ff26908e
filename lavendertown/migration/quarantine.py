"""What cannot be moved: listed with the reason and copied aside, never dropped and never in the way."""

from __future__ import annotations

import shutil
from pathlib import Path

from lavendertown.migration.values import Quarantined
from lavendertown.records.files.layout import file_name


class Quarantine:
    """Collects items; copies them into a folder when there is one.

    Args:
        folder: Made with the first item; None in a dry run.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._items: dict[str, Quarantined] = {}

    @property
    def items(self) -> tuple[Quarantined, ...]:
        """The items so far, in the order they were met."""
        return tuple(self._items.values())

    @property
    def folder(self) -> Path | None:
        """Where the copies lie; None where there are none."""
        return self._folder if self._items else None

    def add(self, item: str, reason: str, content: Path | bytes) -> None:
        """Take in an item, once.

        Args:
            item: Names it, such as ``reports/r1.json``.
            reason: Why it cannot be moved, in a few words.
            content: Its file, or what to write into one.
        """
        if item in self._items:
            return
        self._items[item] = Quarantined(item, reason)
        if self._folder is None:
            return
        copy = self._folder / file_name(item).removesuffix(".json")
        copy.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            copy.write_bytes(content)
        elif content.is_symlink():
            # The link itself: what it leads to may be anything.
            copy.unlink(missing_ok=True)
            copy.symlink_to(content.readlink())
        else:
            shutil.copyfile(content, copy)
