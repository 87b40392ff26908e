"""Making another store the one in use: in ``config.toml`` of the data folder, with a way back."""

from __future__ import annotations

import datetime as dt
import os
import tomllib
from contextlib import ExitStack
from pathlib import Path

from lavendertown import clock, codec
from lavendertown.collaboration.storage import get_storage_backend
from lavendertown.config import CONFIG, PREFIX, Settings, load_settings
from lavendertown.errors import ConfigurationError, NotFoundError
from lavendertown.migration.mover import catch_up
from lavendertown.migration.places import Place, open_store, read_place
from lavendertown.migration.values import Outcome, Request
from lavendertown.records.queries import AuditQuery
from lavendertown.records.values import Kind

BEFORE = "config.before.toml"
_CAN_CHANGE = (CONFIG, "the default")


def current_place(settings: Settings) -> Place:
    """Return where the store in use is."""
    if settings.storage_type == "file":
        return read_place(str(settings.data_dir))
    return read_place(settings.database_url)


def overriding(settings: Settings, target: str | None = None) -> str | None:
    """Say which line must be changed by hand before another store is used; None where none must.

    Args:
        settings: The settings in force.
        target: The folder or URL that shall be used; without it, only what fixes the store is named.
    """
    goal = read_place(target) if target else None
    if goal is not None and goal.folder is not None and not _is_data_folder(goal, settings):
        return (
            f"To use {goal.words}, set {PREFIX}DATA_DIR={goal.folder} in the environment or in .env "
            "and start again: the data folder holds the settings that this screen can change."
        )
    for key, value in _lines(goal).items():
        origin = settings.origins[key]
        if origin not in _CAN_CHANGE:
            name = PREFIX + key.upper() if origin in ("the environment", ".env") else key
            return (
                f"{origin[:1].upper() + origin[1:]} sets {name}, which goes before {CONFIG}. "
                f"Change it there to {value}, and start again."
            )
    return None


def _lines(goal: Place | None) -> dict[str, str]:
    """Return what each setting must say, without passwords."""
    if goal is None:
        return {"storage_type": "the other store's kind", "database_url": "the other store's URL"}
    if goal.folder is not None:
        return {"storage_type": "file"}
    return {"storage_type": "database", "database_url": f"the URL of {goal.words}"}


def switch(settings: Settings, request: Request, moved: Outcome) -> str:
    """Make the target of a finished move the store in use; return what was done.

    Where the source is the store in use, it is held still meanwhile: what was written to it since
    the move is carried over, and whoever wants to write to it afterwards is told to load again.

    Raises:
        ConfigurationError: Something else than ``config.toml`` fixes the store.
        StorageError: One of the stores does not answer; the store in use stays.
    """
    fixed = overriding(settings, request.target)
    if fixed is not None:
        raise ConfigurationError(fixed)
    source, target = read_place(request.source), read_place(request.target)
    carried = 0
    with ExitStack() as stack:
        if source.location == current_place(settings).location:
            carried = catch_up(request, moved)
            store = open_store(source)
            stack.callback(store.close)
            stack.enter_context(store.frozen())
            carried += catch_up(request, moved)
        _write(settings, target)
    changes = "One change" if carried == 1 else f"{carried:,} changes"
    more = f" {changes} made meanwhile came along." if carried else ""
    return f"The team's records are in {target.words} from now on.{more}"


def previous(settings: Settings) -> str | None:
    """Return in words which store was in use before the last switch; None where there was none."""
    former = _former(settings)
    return current_place(former).words if former is not None else None


def previous_text(settings: Settings) -> str | None:
    """Return the folder or URL of the store before the last switch, for another move back."""
    former = _former(settings)
    if former is None:
        return None
    return str(former.data_dir) if former.storage_type == "file" else former.database_url


def switch_back(settings: Settings) -> str:
    """Make the store before the last switch the one in use again; return what was done.

    What was written since stays where it is: see :func:`changes_since`.

    Raises:
        NotFoundError: There was none.
        StorageError: It does not answer any more; the store in use stays.
    """
    former = _former(settings)
    if former is None:
        raise NotFoundError("No switch was made from here; there is no store to go back to.")
    get_storage_backend(former).close()
    (settings.data_dir / BEFORE).replace(settings.data_dir / CONFIG)
    return f"The team's records are in {current_place(former).words} again."


def changes_since(settings: Settings) -> int:
    """Return how many changes were made to the store in use since it became that."""
    try:
        written = (settings.data_dir / CONFIG).stat().st_mtime
    except FileNotFoundError:
        return 0
    store = open_store(current_place(settings))
    try:
        since = dt.datetime.fromtimestamp(written, clock.UTC)
        return store.count(AuditQuery(since=since, components=tuple(Kind)))
    finally:
        store.close()


def _former(settings: Settings) -> Settings | None:
    path = settings.data_dir / BEFORE
    if not path.is_file():
        return None
    saved = tomllib.loads(path.read_text("utf-8"))
    database = f"sqlite:///{settings.data_dir / 'lavendertown.db'}"
    return Settings(
        saved.get("storage_type", "file"), saved.get("database_url", database), settings.data_dir, {}
    )


def _write(settings: Settings, target: Place) -> None:
    """Write ``config.toml`` and keep what was in force before."""
    kind = "file" if target.folder is not None else "database"
    _put(settings.data_dir / BEFORE, settings.storage_type, settings.database_url)
    _put(settings.data_dir / CONFIG, kind, target.url or settings.database_url)
    now = load_settings(settings.root)
    if current_place(now).location != target.location:
        (settings.data_dir / BEFORE).replace(settings.data_dir / CONFIG)
        raise ConfigurationError(f"The settings still name {current_place(now).words}; nothing was changed.")


def _put(path: Path, kind: str, url: str) -> None:
    """Write a settings file in one step, readable for its owner only: it may hold a password."""
    text = (
        "# Written by LavenderTown when the store was switched.\n"
        f"storage_type = {_quoted(kind)}\ndatabase_url = {_quoted(url)}\n"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _quoted(value: str) -> str:
    # JSON's strings are TOML's basic strings.
    return codec.dumps(value).decode("utf-8")


def _is_data_folder(goal: Place, settings: Settings) -> bool:
    return goal.folder is not None and goal.folder.resolve() == settings.data_dir.resolve()
