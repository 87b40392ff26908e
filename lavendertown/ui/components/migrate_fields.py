"""What names a store: its kind, and the fields for a folder, a SQLite file or a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from lavendertown.config import Settings, load_settings, url_from_parts
from lavendertown.errors import InvalidInputError
from lavendertown.migration import places

SOURCE, TARGET = "source", "target"
IN_USE, FOLDER, SQLITE, POSTGRESQL = "in use", "folder", "sqlite", "postgresql"
_NAMES = {IN_USE: "The store in use", FOLDER: "A folder", SQLITE: "A SQLite file", POSTGRESQL: "PostgreSQL"}
_ORDER = {SOURCE: (IN_USE, FOLDER, SQLITE, POSTGRESQL), TARGET: (SQLITE, POSTGRESQL, FOLDER)}
_FORM, _URL = "Fill in a form", "Paste a URL"
_PARTS = {"host": "localhost", "port": "5432", "name": "", "user": ""}
_LABELS = {"host": "Host", "port": "Port", "name": "Database", "user": "User"}


def text_in_use(settings: Settings) -> str:
    """Return the path or URL of the store in use."""
    return str(settings.data_dir) if settings.storage_type == "file" else settings.database_url


def choose(side: str, changed: Callable[[str], None], caption: str = "") -> str:
    """Ask for the kind of store.

    Args:
        side: ``SOURCE`` or ``TARGET``.
        changed: Is told the side when another kind is chosen.
        caption: Says what the store in use is.
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
            "How to name it",
            (_FORM, _URL),
            horizontal=True,
            label_visibility="collapsed",
            key=f"migrate:{side}:way",
            persist_state="session",
            on_change=changed,
            args=(side,),
        )
    return kind


def show(side: str, kind: str) -> None:
    """Ask for what names a store of this kind."""
    if kind == FOLDER:
        _text(side, "folder", "Folder", _short(load_settings().data_dir))
    elif kind == SQLITE:
        _text(side, "file", "File", _short(load_settings().data_dir / "lavendertown.db"))
    elif kind == POSTGRESQL and st.session_state[f"migrate:{side}:way"] == _URL:
        _secret(side, "url", "URL", "postgresql://user:password@host:5432/database")
    elif kind == POSTGRESQL:
        with st.grid(2, min_column_width=220):
            for name, default in _PARTS.items():
                _text(side, name, _LABELS[name], default)
            _secret(side, "password", "Password", "")


def _text(side: str, name: str, label: str, default: str) -> None:
    key = f"migrate:{side}:{name}"
    st.session_state.setdefault(key, default)
    st.text_input(label, key=key, persist_state="session")


def _secret(side: str, name: str, label: str, example: str) -> None:
    """Ask for something with a password in it. What was given is kept here and not sent back."""
    given = bool(st.session_state.get(f"migrate:{side}:secret:{name}"))
    st.text_input(
        label,
        type="password",
        key=f"migrate:{side}:{name}",
        placeholder="As given before" if given else example,
        autocomplete="off",
    )


def read(side: str, kind: str) -> str:
    """Return the path or URL that the fields name.

    Raises:
        InvalidInputError: Something is missing.
    """
    if kind == IN_USE:
        return text_in_use(load_settings())
    if kind == FOLDER:
        return _given(side, "folder", "Name the folder.")
    if kind == SQLITE:
        return f"sqlite:///{Path(_given(side, 'file', 'Name the SQLite file.')).expanduser()}"
    if st.session_state[f"migrate:{side}:way"] == _URL:
        url = _remembered(side, "url").strip()
        if "://" not in url:
            raise InvalidInputError("Paste a URL such as postgresql://user:password@host:5432/database.")
        return url
    name = _given(side, "name", "Name the database.")
    parts = {
        part: str(st.session_state[f"migrate:{side}:{part}"]).strip() for part in ("host", "port", "user")
    }
    return url_from_parts(
        {"driver": "postgresql", **parts, "name": name, "password": _remembered(side, "password")}
    )


def _given(side: str, name: str, otherwise: str) -> str:
    found = str(st.session_state[f"migrate:{side}:{name}"]).strip()
    if not found:
        raise InvalidInputError(otherwise)
    return found


def _remembered(side: str, name: str) -> str:
    typed = str(st.session_state.get(f"migrate:{side}:{name}") or "")
    if typed:
        st.session_state[f"migrate:{side}:secret:{name}"] = typed
        # A browser keeps what is typed in the page's own text as well.
        st.session_state[f"migrate:{side}:{name}"] = ""
    return str(st.session_state.get(f"migrate:{side}:secret:{name}", ""))


def fill_in(side: str, text: str) -> None:
    """Set a side's fields to a store that is known already, as after a switch."""
    place = places.read_place(text)
    state = st.session_state
    state[f"migrate:{side}:kind"] = FOLDER if place.folder else place.kind
    if place.folder is not None:
        state[f"migrate:{side}:folder"] = _short(place.folder)
    elif place.file is not None:
        state[f"migrate:{side}:file"] = _short(place.file)
    else:
        state[f"migrate:{side}:way"] = _URL
        state[f"migrate:{side}:secret:url"] = text


def _short(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
