"""Write several files and audit lines atomically, across processes and crashes.

Files are staged in the journal folder and flushed. Renaming a small intent file into place is the commit;
then the staged files are renamed to their targets. If a process is killed in between, the next one that
takes the lock finishes the change. After the commit only the audit lines need disk space, and the intent
keeps them until they are written.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal

from lavendertown.core import json_codec, locks
from lavendertown.core.errors import DamagedRecordError, StorageUnavailableError
from lavendertown.stores.files.layout import Layout

_INTENT = "intent.json"
_SYNC_ALL_FROM = 32


class Journal:
    """The journal through which all files of a data folder are written."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._thread_lock = threading.Lock()

    @contextlib.contextmanager
    def lock_folder(self) -> Iterator[None]:
        """Hold the folder's lock across threads and processes, after finishing any interrupted change.

        Raises:
            StorageUnavailableError: The folder is not writable, or the lock was not released in time.
        """
        resource = f"the data folder {self._layout.root}"
        with locks.thread_lock(self._thread_lock, resource), contextlib.ExitStack() as stack:
            with translate_os_errors(self._layout.root):
                self._layout.root.mkdir(parents=True, exist_ok=True)
                _make_folder(self._layout.journal_dir, self._layout.root)
                stack.enter_context(locks.file_lock(str(self._layout.lock_file), resource))
                self._finish_intent()
                self._remove_leftovers()
            yield

    def commit_files(
        self, files: Mapping[Path, bytes], audit: Mapping[Path, bytes], removed: Sequence[Path] = ()
    ) -> None:
        """Write these files, append to these audit files and remove others. The caller must hold the lock.

        Raises:
            StorageUnavailableError: The disk is full or the folder not writable; nothing changed.
        """
        with translate_os_errors(self._layout.root):
            try:
                self._stage_files(files, audit, removed)
            except OSError:
                self._remove_leftovers()
                raise
        # The change is committed now: if finishing it fails, the next writer finishes it.
        with contextlib.suppress(OSError):
            self._finish_intent()

    def replace_folders(self, staged: Path, folders: Sequence[Path]) -> None:
        """Replace these folders atomically. The caller must hold the lock.

        Args:
            staged: A folder inside the journal folder with the new folders; missing ones become empty.
            folders: The folders of the store to replace.

        Raises:
            StorageUnavailableError: The disk is full or the folder not writable; nothing changed.
        """
        root, journal = self._layout.root, self._layout.journal_dir
        with translate_os_errors(root):
            moves = []
            for folder in folders:
                new = staged / folder.relative_to(root)
                _make_folder(new, root)
                names = {"staged": str(new.relative_to(journal)), "target": str(folder.relative_to(root))}
                moves.append({**names, "old": f"{folder.name}.old"})
            if sys.platform == "linux":
                os.sync()
            self._write_intent({"moves": moves, "appends": []})
        with contextlib.suppress(OSError):
            self._finish_intent()
            self._remove_leftovers()

    def finish_pending(self) -> None:
        """Finish a change that a killed writer had committed, if the folder is writable."""
        if self.intent_path.exists() and os.access(self._layout.root, os.W_OK):
            with self.lock_folder():
                pass

    @property
    def intent_path(self) -> Path:
        """The intent file, which exists only while a committed change is not finished."""
        return self._layout.journal_dir / _INTENT

    def _stage_files(
        self, files: Mapping[Path, bytes], audit: Mapping[Path, bytes], removed: Sequence[Path]
    ) -> None:
        root = self._layout.root
        moves = []
        # One sync of everything is faster than hundreds of single ones, but only Linux waits for it.
        sync_all = len(files) > _SYNC_ALL_FROM and sys.platform == "linux"
        for number, (target, data) in enumerate(files.items()):
            _make_folder(target.parent, root)
            staged = f"{number}.new"
            _write_file(self._layout.journal_dir / staged, data, root, flush=not sync_all)
            moves.append({"staged": staged, "target": str(target.relative_to(root))})
        appends = []
        for path, lines in audit.items():
            _make_folder(path.parent, root)
            offset, ends_with_newline = _find_end(path)
            text = lines.decode("utf-8") if ends_with_newline else "\n" + lines.decode("utf-8")
            appends.append({"file": str(path.relative_to(root)), "offset": offset, "text": text})
        if sync_all:
            os.sync()
        intent: dict[str, Any] = {"moves": moves, "appends": appends}
        if removed:
            intent["removals"] = [str(path.relative_to(root)) for path in removed]
        self._write_intent(intent)

    def _write_intent(self, intent: Mapping[str, Any]) -> None:
        temporary = self._layout.journal_dir / "intent.new"
        _write_file(temporary, json_codec.dumps(intent), self._layout.root)
        temporary.replace(self.intent_path)
        _sync_folder(self._layout.journal_dir)

    def _finish_intent(self) -> None:
        if not self.intent_path.exists():
            return
        intent = self._read_intent()
        folders = set()
        for move in intent["moves"]:
            staged = self._layout.journal_dir / move["staged"]
            target = self._layout.root / move["target"]
            if staged.exists():
                if "old" in move and target.exists():
                    # A folder that is not empty cannot be replaced by a rename.
                    target.replace(self._layout.journal_dir / move["old"])
                staged.replace(target)
            folders.add(target.parent)
        for name in intent.get("removals", ()):
            removed = self._layout.root / name
            removed.unlink(missing_ok=True)
            folders.add(removed.parent)
        for folder in folders:
            _sync_folder(folder)
        for append in intent["appends"]:
            path = self._layout.root / append["file"]
            with _open_private(path, self._layout.root, "ab") as handle:
                handle.truncate(min(append["offset"], handle.seek(0, os.SEEK_END)))
                handle.write(append["text"].encode("utf-8"))
                handle.flush()
                os.fsync(handle.fileno())
        self.intent_path.unlink()

    def _read_intent(self) -> dict[str, Any]:
        try:
            intent: dict[str, Any] = json_codec.loads(self.intent_path.read_bytes())
            if "audit_file" in intent:
                # The first version of the format: one audit file per change.
                names = {"file": "audit_file", "offset": "audit_offset", "text": "audit"}
                intent["appends"] = [{name: intent[old] for name, old in names.items()}]
            is_valid = all({"staged", "target"} <= move.keys() for move in intent["moves"])
            is_valid = is_valid and all({"file", "offset", "text"} <= a.keys() for a in intent["appends"])
        except (ValueError, KeyError, TypeError, AttributeError):
            is_valid = False
        if not is_valid:
            raise DamagedRecordError(
                f"The file {self.intent_path}, which finishes an interrupted change, cannot be read; "
                "nothing was changed. Restore it from a backup, or move it away to discard that change."
            )
        return intent

    def _remove_leftovers(self) -> None:
        """Remove staged files that were never committed, and replaced folders."""
        if not self.intent_path.exists():
            for leftover in (
                *self._layout.journal_dir.glob("*.new"),
                *self._layout.journal_dir.glob("*.old"),
            ):
                if leftover.is_dir():
                    shutil.rmtree(leftover)
                else:
                    leftover.unlink()


@contextlib.contextmanager
def translate_os_errors(root: Path) -> Iterator[None]:
    """Turn errors of the operating system into a StorageUnavailableError with one plain message."""
    try:
        yield
    except OSError as error:
        raise StorageUnavailableError(_describe_os_error(root, error)) from error


def _describe_os_error(root: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"The disk of {root} is full; nothing was written. Free some space and try again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"The data folder {root} cannot be written ({error.strerror}); nothing was written. "
            "Change its permissions, or set another folder in LAVENDERTOWN_DATA_DIR."
        )
    return f"The data folder {root} is unavailable ({error.strerror or error}); nothing was written."


def _find_end(path: Path) -> tuple[int, bool]:
    """Return a file's size, and whether its last line is complete."""
    try:
        with path.open("rb") as handle:
            size = handle.seek(0, os.SEEK_END)
            if size == 0:
                return 0, True
            handle.seek(size - 1)
            return size, handle.read(1) == b"\n"
    except FileNotFoundError:
        return 0, True


def _write_file(path: Path, data: bytes, root: Path, *, flush: bool = True) -> None:
    with _open_private(path, root, "wb") as handle:
        handle.write(data)
        if flush:
            handle.flush()
            os.fsync(handle.fileno())


def _open_private(path: Path, root: Path, mode: Literal["wb", "ab"]) -> BinaryIO:
    """Open a file in the data folder; a new file gets the folder's read and write permissions."""

    def create(name: str, flags: int) -> int:
        return os.open(name, flags, root.stat().st_mode & 0o666)

    # Path.open does not accept an opener.
    return open(path, mode, opener=create)


def _make_folder(folder: Path, root: Path) -> None:
    """Create a folder in the data folder with the same permissions."""
    folder.mkdir(stat.S_IMODE(root.stat().st_mode) & 0o777, parents=True, exist_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
