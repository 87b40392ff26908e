"""Input fields for a store: its kind, and a folder, a SQLite file or a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.settings import build_database_url, load_settings
from lavendertown.transfer import locations, store_switch
from lavendertown.transfer.vetting import vet_store

SOURCE, TARGET = "source", "target"
IN_USE, FOLDER, SQLITE, POSTGRESQL = "in use", "folder", "sqlite", "postgresql"
_NAMES = {IN_USE: "Current storage", FOLDER: "A folder", SQLITE: "A SQLite file", POSTGRESQL: "PostgreSQL"}
_ORDER = {SOURCE: (IN_USE, FOLDER, SQLITE, POSTGRESQL), TARGET: (SQLITE, POSTGRESQL, FOLDER)}
_FORM, _URL = "Fill in a form", "Paste a URL"
_PARTS = {"host": "localhost", "port": "5432", "name": "", "user": ""}
_LABELS = {"host": "Host", "port": "Port", "name": "Database", "user": "User"}


def choose_kind(side: str, changed: Callable[[str], None], caption: str = "") -> str:
    """Ask for the kind of store.

    Args:
        side: ``SOURCE`` or ``TARGET``.
        changed: Called with the side when another kind is chosen.
        caption: Describes the current storage.
    """
    names = _NAMES | ({FOLDER: "Another folder"} if side == SOURCE else {})
    order = _ORDER[side]
    kind: str = st.radio(
        "Source" if side == SOURCE else "Target",
        order,
        format_func=lambda kind: names[kind],
        captions=[caption if kind == IN_USE else "" for kind in order] if caption else None,
        horizontal=side == TARGET,
        label_visibility="collapsed",
        key=f"migrate:{side}:kind",
        persist_state="session",
        on_change=changed,
        args=(side,),
    )
    if kind == POSTGRESQL:
        st.radio(
            "Connection details",
            (_FORM, _URL),
            horizontal=True,
            label_visibility="collapsed",
            key=f"migrate:{side}:way",
            persist_state="session",
            on_change=changed,
            args=(side,),
        )
    return kind


def show_fields(side: str, kind: str) -> None:
    """Draw the fields for a store of this kind."""
    if kind == FOLDER:
        _draw_text_field(side, "folder", "Folder", _relative_path(load_settings().data_dir))
    elif kind == SQLITE:
        _draw_text_field(side, "file", "File", _relative_path(load_settings().data_dir / "lavendertown.db"))
    elif kind == POSTGRESQL and st.session_state[f"migrate:{side}:way"] == _URL:
        _draw_secret_field(side, "url", "URL", "postgresql://user:password@host:5432/database")
    elif kind == POSTGRESQL:
        with st.grid(2, min_column_width=220):
            for name, default in _PARTS.items():
                _draw_text_field(side, name, _LABELS[name], default)
            _draw_secret_field(side, "password", "Password", "")


def _draw_text_field(side: str, name: str, label: str, default: str) -> None:
    key = f"migrate:{side}:{name}"
    st.session_state.setdefault(key, default)
    st.text_input(label, key=key, persist_state="session")


def _draw_secret_field(side: str, name: str, label: str, example: str) -> None:
    """Draw a field for a text with a password, which is never sent back to the browser."""
    given = bool(st.session_state.get(f"migrate:{side}:secret:{name}"))
    st.text_input(
        label,
        type="password",
        key=f"migrate:{side}:{name}",
        placeholder="Unchanged" if given else example,
        autocomplete="off",
    )


def read_fields(side: str, kind: str) -> str:
    """Return the path or URL from the fields, if users may use this store.

    Raises:
        InvalidInputError: A field is empty, or the store may not be used from the browser.
        LavenderTownError: The path or URL is not a store.
    """
    settings = load_settings()
    if kind == IN_USE:
        return store_switch.current_address(settings)
    return vet_store(_read_location(side, kind), settings)


def _read_location(side: str, kind: str) -> str:
    """Return the path or URL from the fields."""
    if kind == FOLDER:
        folder = _require_field(side, "folder", "Enter the folder.")
        if "://" in folder:
            raise InvalidInputError("This is a URL; enter a folder, or choose another kind of store.")
        return folder
    if kind == SQLITE:
        file = _require_field(side, "file", "Enter the SQLite file.")
        if "?" in file or "%" in file or "://" in file:
            raise InvalidInputError("Enter the path of the SQLite file; it may not contain ? or %.")
        return f"sqlite:///{file}"
    if st.session_state[f"migrate:{side}:way"] == _URL:
        url = _read_secret(side, "url").strip()
        if "://" not in url:
            raise InvalidInputError("Paste a URL such as postgresql://user:password@host:5432/database.")
        return url
    name = _require_field(side, "name", "Enter the database.")
    parts = {
        part: str(st.session_state[f"migrate:{side}:{part}"]).strip() for part in ("host", "port", "user")
    }
    return build_database_url(
        {"driver": "postgresql", **parts, "name": name, "password": _read_secret(side, "password")}
    )


def _require_field(side: str, name: str, message: str) -> str:
    value = str(st.session_state[f"migrate:{side}:{name}"]).strip()
    if not value:
        raise InvalidInputError(message)
    return value


def _read_secret(side: str, name: str) -> str:
    typed = str(st.session_state.get(f"migrate:{side}:{name}") or "")
    if typed:
        st.session_state[f"migrate:{side}:secret:{name}"] = typed
        # Empty the widget, so that the browser does not keep the password in the page.
        st.session_state[f"migrate:{side}:{name}"] = ""
    return str(st.session_state.get(f"migrate:{side}:secret:{name}", ""))


def fill_in_fields(side: str, text: str) -> None:
    """Fill in the fields of a side with a known store, as after a switch."""
    location = locations.parse_location(text)
    state = st.session_state
    state[f"migrate:{side}:kind"] = FOLDER if location.folder else location.kind
    if location.folder is not None:
        state[f"migrate:{side}:folder"] = _relative_path(location.folder)
    elif location.file is not None:
        state[f"migrate:{side}:file"] = _relative_path(location.file)
    else:
        state[f"migrate:{side}:way"] = _URL
        state[f"migrate:{side}:secret:url"] = text


def _relative_path(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
