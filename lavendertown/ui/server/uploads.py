"""Store uploaded files on disk: one private folder per browser session, deleted with the session.

Streamlit keeps uploads in memory. Each is moved to a file immediately, which only a worker process reads.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from lavendertown import demo
from lavendertown.core.errors import FileLimitError
from lavendertown.core.file_limits import MEGABYTE
from lavendertown.core.settings import load_settings

MAX_SECONDS = 24 * 3600
"""A file is deleted after this time, even if its session is still active."""

GRACE_SECONDS = 180
"""A session ends after being disconnected for this time; Streamlit drops it after 120 s."""

_SWEEP_SECONDS = 30
_PREFIX = "lavendertown-uploads-"


@dataclass(frozen=True)
class Upload:
    """A file to inspect, or several that form one table.

    Attributes:
        name: Its name on the user's machine.
        path: Its location on the server; for several files, a folder in which they are called 0, 1, ….
        size: Its size in bytes.
        is_sample: Whether it is the sample table.
        parts: The names of several files, in order; empty for one file.
        table: The table to read, if the file has several.
    """

    name: str
    path: Path
    size: int
    is_sample: bool = False
    parts: tuple[str, ...] = ()
    table: str | None = None


@dataclass
class _SessionFolder:
    path: Path
    connected_at: float
    uploads: dict[Path, float] = field(default_factory=dict)
    """Path of each upload → time of storing."""


class UploadFolders:
    """The upload folders of all sessions of this process. Times are ``time.monotonic`` seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._root: Path | None = None
        self._folders: dict[str, _SessionFolder] = {}
        self._on_end: dict[str, Callable[[], None]] = {}
        self._stop = threading.Event()

    def session_folder(self, session: str) -> Path:
        """Return the folder of a session, readable only by the server's user; create it on first use."""
        with self._lock:
            return self._folder_of_session(session).path

    def result_folder(self, session: str) -> Path:
        """Create a folder for the result of an inspection in the session's folder."""
        return Path(tempfile.mkdtemp(prefix="result-", dir=self.session_folder(session)))

    def write_upload(self, session: str, name: str, content: memoryview | bytes) -> Upload:
        """Write an upload into the session's folder.

        Raises:
            FileLimitError: The upload is too large, or all uploads together are.
        """
        self._check_size(name, len(content))
        # Only the server's user can read a temporary file.
        with tempfile.NamedTemporaryFile(
            prefix="upload-", dir=self.session_folder(session), delete=False
        ) as file:
            file.write(content)
        path = Path(file.name)
        with self._lock:
            self._folder_of_session(session).uploads[path] = time.monotonic()
        return Upload(name, path, len(content))

    def write_parts(self, session: str, files: Sequence[tuple[str, memoryview | bytes]]) -> Upload:
        """Write several files that form one table into the session's folder.

        Args:
            session: The session.
            files: The name and content of each file, in order.

        Raises:
            FileLimitError: The files together are too large, or all uploads together are.
        """
        name = f"{files[0][0]} and {len(files) - 1:,} more"
        size = sum(len(content) for _, content in files)
        self._check_size(name, size)
        folder = Path(tempfile.mkdtemp(prefix="upload-", dir=self.session_folder(session)))
        with self._lock:
            self._folder_of_session(session).uploads[folder] = time.monotonic()
        for number, (_, content) in enumerate(files):
            # Not the name of the upload, which may lead outside the folder.
            (folder / str(number)).write_bytes(content)
        return Upload(name, folder, size, parts=tuple(PurePath(part).name for part, _ in files))

    def _check_size(self, name: str, size: int) -> None:
        settings = load_settings()
        if size > settings.limits_upload_mb * MEGABYTE:
            raise FileLimitError(
                f"{name} is larger than {settings.limits_upload_mb:,} MB, the upload limit of this server. "
                f"Check it with `lavendertown analyze`, or raise the setting limits.upload_mb."
            )
        if self.total_bytes() + size > settings.limits_uploads_mb * MEGABYTE:
            raise FileLimitError(
                f"{name} was not stored: the uploads of all users together would exceed "
                f"{settings.limits_uploads_mb:,} MB. Try again later, or raise the setting limits.uploads_mb."
            )

    def delete_path(self, session: str, path: Path) -> None:
        """Delete an upload or a result folder."""
        with self._lock:
            self._folder_of_session(session).uploads.pop(path, None)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def on_session_end(self, session: str, action: Callable[[], None]) -> None:
        """Register an action to run when the session ends, before its folder is deleted."""
        with self._lock:
            self._folder_of_session(session)
            self._on_end[session] = action

    def total_bytes(self) -> int:
        """Return the total size of the uploads of all sessions in bytes."""
        with self._lock:
            paths = [path for folder in self._folders.values() for path in folder.uploads]
        files = [file for path in paths for file in (path.iterdir() if path.is_dir() else [path])]
        return sum(file.stat().st_size for file in files if file.exists())

    def delete_expired(self, is_connected: Callable[[str], bool], now: float) -> None:
        """Delete the folders of ended sessions, and expired files."""
        with self._lock:
            sessions = dict(self._folders)
        for session, folder in sessions.items():
            if is_connected(session):
                folder.connected_at = now
            if now - folder.connected_at > GRACE_SECONDS:
                self._end_session(session)
                continue
            for path, kept_at in list(folder.uploads.items()):
                if now - kept_at > MAX_SECONDS:
                    self.delete_path(session, path)

    def start_sweeping(self) -> None:
        """Delete expired files every half minute in a thread, until :meth:`close`.

        First delete folders that killed servers left over, if unchanged for :data:`MAX_SECONDS`.
        """
        remove_leftovers(Path(tempfile.gettempdir()), time.time() - MAX_SECONDS)
        self._stop.clear()
        threading.Thread(target=self._sweep_until_closed, name="upload-sweeper", daemon=True).start()

    def close(self) -> None:
        """Stop the thread and delete all folders."""
        self._stop.set()
        with self._lock:
            sessions = list(self._folders)
        for session in sessions:
            self._end_session(session)
        with self._lock:
            root, self._root = self._root, None
        if root is not None:
            shutil.rmtree(root, ignore_errors=True)

    def _folder_of_session(self, session: str) -> _SessionFolder:
        if session not in self._folders:
            if self._root is None:
                self._root = Path(tempfile.mkdtemp(prefix=_PREFIX))
            path = Path(tempfile.mkdtemp(dir=self._root))
            self._folders[session] = _SessionFolder(path, time.monotonic())
        return self._folders[session]

    def _end_session(self, session: str) -> None:
        with self._lock:
            folder = self._folders.pop(session, None)
            action = self._on_end.pop(session, None)
        if action is not None:
            action()
        if folder is not None:
            shutil.rmtree(folder.path, ignore_errors=True)

    def _sweep_until_closed(self) -> None:
        while not self._stop.wait(_SWEEP_SECONDS):
            self.delete_expired(Runtime.instance().is_active_session, time.monotonic())


def remove_leftovers(temporary: Path, before: float) -> None:
    """Delete upload folders of the server's user last changed before a time, in seconds since 1970."""
    for path in temporary.glob(f"{_PREFIX}*"):
        with contextlib.suppress(FileNotFoundError):  # Another server may delete it at the same time.
            status = path.lstat()
            if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and status.st_mtime < before:
                shutil.rmtree(path, ignore_errors=True)


upload_folders = UploadFolders()


def session_id() -> str:
    """Return the id of the current browser session."""
    context = get_script_run_ctx()
    return context.session_id if context is not None else "no session"


def keep_uploads(files: Sequence[UploadedFile]) -> Upload:
    """Move an upload from Streamlit's memory to a file; several files form one table, sorted by name.

    Raises:
        FileLimitError: The upload is too large, or all uploads together are.
    """
    try:
        if len(files) == 1:
            return upload_folders.write_upload(session_id(), files[0].name, files[0].getbuffer())
        parts = sorted(((file.name, file.getbuffer()) for file in files), key=lambda part: part[0])
        return upload_folders.write_parts(session_id(), parts)
    finally:
        context = get_script_run_ctx()
        # Unlike st.chat_input, st.file_uploader keeps the content until the session ends.
        if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
            for file in files:
                context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)


def keep_sample() -> Upload:
    """Write the sample table to a file, to inspect it like an upload."""
    name, frame = demo.load_sample_table()
    content = io.BytesIO()
    frame.to_parquet(content)
    upload = upload_folders.write_upload(session_id(), name, content.getbuffer())
    return replace(upload, is_sample=True)


class UploadGuard:
    """ASGI middleware that rejects uploads if all uploads together would exceed the limit.

    Streamlit limits the size of each file, but not how many files a user sends before a screen reads them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reject an upload that exceeds the limit, and pass on everything else."""
        if scope["type"] == "http" and scope["method"] == "PUT" and "/_stcore/upload_file/" in scope["path"]:
            settings = load_settings()
            declared = Request(scope).headers.get("content-length", "")
            size = int(declared) if declared.isdecimal() else settings.limits_upload_mb * MEGABYTE
            if (
                _bytes_in_memory() + upload_folders.total_bytes() + size
                > settings.limits_uploads_mb * MEGABYTE
            ):
                await PlainTextResponse("Too many uploads; try again later.", 413)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _bytes_in_memory() -> int:
    manager: Any = Runtime.instance().uploaded_file_mgr
    stats = manager.get_stats() if isinstance(manager, MemoryUploadedFileManager) else {}
    return sum(stat.byte_length for family in stats.values() for stat in family)


def apply_upload_limit() -> None:
    """Set Streamlit's limit for one file, so that it rejects a larger one during the upload."""
    config.set_option("server.maxUploadSize", load_settings().limits_upload_mb)
