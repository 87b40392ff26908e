"""Collect the items that cannot be migrated, with their reasons and copies."""

from __future__ import annotations

import shutil
from pathlib import Path

from lavendertown.stores.files.layout import file_name
from lavendertown.transfer.values import QuarantinedItem


class Quarantine:
    """Collects items that cannot be migrated, and copies them into a folder.

    Args:
        folder: The folder, created with the first item; None to make no copies, as in a dry run.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._items: dict[str, QuarantinedItem] = {}

    @property
    def items(self) -> tuple[QuarantinedItem, ...]:
        """Return the items, in the order in which they were added."""
        return tuple(self._items.values())

    @property
    def folder(self) -> Path | None:
        """Return the folder with the copies; None if there are none."""
        return self._folder if self._items else None

    def add_item(self, item: str, reason: str, content: Path | bytes) -> None:
        """Add an item, unless it was added before.

        Args:
            item: Its name, such as ``reports/r1.json``.
            reason: Why it cannot be migrated, in a few words.
            content: Its file, or the content of the copy.
        """
        if item in self._items:
            return
        self._items[item] = QuarantinedItem(item, reason)
        if self._folder is None:
            return
        copy = self._folder / file_name(item).removesuffix(".json")
        copy.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            copy.write_bytes(content)
        elif content.is_symlink():
            # Copy the link itself: its target may be anything.
            copy.unlink(missing_ok=True)
            copy.symlink_to(content.readlink())
        else:
            shutil.copyfile(content, copy)
