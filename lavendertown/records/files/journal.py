"""Several files and an audit line, written together or not at all, across processes and crashes.

Files are staged beside the store and flushed; one small intent file, renamed into place, is the
commit; then the staged files are renamed to their places. Whoever takes the lock next finishes
what a killed process left. After the intent stands, nothing needs disk space but the audit line,
which the intent holds until it is written.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import portalocker

from lavendertown import codec
from lavendertown.errors import DamagedRecordError, StorageUnavailableError
from lavendertown.records.files.layout import Layout

_INTENT = "intent.json"
_MANY = 32


class Journal:
    """The one way anything is written into a data folder."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._threads = threading.Lock()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder's lock, across threads and processes, with nothing left half done.

        Raises:
            StorageUnavailableError: The folder cannot be written.
        """
        with self._threads:
            with translated(self._layout.root):
                for folder in (self._layout.root, self._layout.journal):
                    folder.mkdir(parents=True, exist_ok=True)
                handle = self._layout.lock.open("a")
            with handle:
                portalocker.lock(handle, portalocker.LockFlags.EXCLUSIVE)
                with translated(self._layout.root):
                    self._finish()
                    self._sweep()
                yield

    def commit(self, files: Mapping[Path, bytes], audit: Mapping[Path, bytes]) -> None:
        """Write these files, and append to these audit files. The lock must be held.

        Raises:
            StorageUnavailableError: The disk is full or the folder not writable; nothing changed.
        """
        with translated(self._layout.root):
            try:
                self._stage(files, audit)
            except OSError:
                self._sweep()
                raise
        # From here on the change is committed: what fails now is finished by the next writer.
        with contextlib.suppress(OSError):
            self._finish()

    def finish_pending(self) -> None:
        """Finish what a killed writer committed, where the folder can be written."""
        if self.intent.exists() and os.access(self._layout.root, os.W_OK):
            with self.locked():
                pass

    @property
    def intent(self) -> Path:
        """The file that tells of a committed change that is not finished; most of the time there is none."""
        return self._layout.journal / _INTENT

    def _stage(self, files: Mapping[Path, bytes], audit: Mapping[Path, bytes]) -> None:
        root = self._layout.root
        moves = []
        # One flush of everything is quicker than hundreds of single ones; only Linux waits for it.
        together = len(files) > _MANY and sys.platform == "linux"
        for number, (target, data) in enumerate(files.items()):
            target.parent.mkdir(parents=True, exist_ok=True)
            staged = f"{number}.new"
            _write(self._layout.journal / staged, data, flush=not together)
            moves.append({"staged": staged, "target": str(target.relative_to(root))})
        appends = []
        for path, lines in audit.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            offset, ends_well = _end(path)
            text = lines.decode("utf-8") if ends_well else "\n" + lines.decode("utf-8")
            appends.append({"file": str(path.relative_to(root)), "offset": offset, "text": text})
        if together:
            os.sync()
        draft = self._layout.journal / "intent.new"
        _write(draft, codec.dumps({"moves": moves, "appends": appends}))
        draft.replace(self.intent)
        _sync_folder(self._layout.journal)

    def _finish(self) -> None:
        if not self.intent.exists():
            return
        intent = self._read_intent()
        folders = set()
        for move in intent["moves"]:
            staged = self._layout.journal / move["staged"]
            target = self._layout.root / move["target"]
            if staged.exists():
                staged.replace(target)
            folders.add(target.parent)
        for folder in folders:
            _sync_folder(folder)
        for append in intent["appends"]:
            with (self._layout.root / append["file"]).open("ab") as handle:
                handle.truncate(min(append["offset"], handle.seek(0, os.SEEK_END)))
                handle.write(append["text"].encode("utf-8"))
                handle.flush()
                os.fsync(handle.fileno())
        self.intent.unlink()

    def _read_intent(self) -> dict[str, Any]:
        try:
            intent: dict[str, Any] = codec.loads(self.intent.read_bytes())
            if "audit_file" in intent:
                # As the first version wrote it: one audit file a change.
                names = {"file": "audit_file", "offset": "audit_offset", "text": "audit"}
                intent["appends"] = [{name: intent[old] for name, old in names.items()}]
            whole = all({"staged", "target"} <= move.keys() for move in intent["moves"])
            whole = whole and all({"file", "offset", "text"} <= a.keys() for a in intent["appends"])
        except (ValueError, KeyError, TypeError, AttributeError):
            whole = False
        if not whole:
            raise DamagedRecordError(
                f"The file {self.intent}, which finishes an interrupted change, cannot be read; nothing was "
                "changed. Restore it from a backup, or move it away to go on without that change."
            )
        return intent

    def _sweep(self) -> None:
        """Remove what was staged but never committed."""
        if not self.intent.exists():
            for leftover in self._layout.journal.glob("*.new"):
                leftover.unlink()


@contextlib.contextmanager
def translated(root: Path) -> Iterator[None]:
    """Turn the operating system's refusals into one sentence."""
    try:
        yield
    except OSError as error:
        raise StorageUnavailableError(_sentence(root, error)) from error


def _sentence(root: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"The disk that holds {root} is full; nothing was written. Free some space and try again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"The data folder {root} cannot be written ({error.strerror}); nothing was written. "
            "Change its permissions, or name another in LAVENDERTOWN_DATA_DIR."
        )
    return f"The data folder {root} does not work ({error.strerror or error}); nothing was written."


def _end(path: Path) -> tuple[int, bool]:
    """Return a file's size, and whether it ends with a whole line."""
    try:
        with path.open("rb") as handle:
            size = handle.seek(0, os.SEEK_END)
            if size == 0:
                return 0, True
            handle.seek(size - 1)
            return size, handle.read(1) == b"\n"
    except FileNotFoundError:
        return 0, True


def _write(path: Path, data: bytes, *, flush: bool = True) -> None:
    with path.open("wb") as handle:
        handle.write(data)
        if flush:
            handle.flush()
            os.fsync(handle.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
