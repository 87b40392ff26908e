"""Plug-in pages of the project: discovery, navigation entries, and execution with a database session.

A page is a file ``pages/NAME.py`` or ``components/**/NAME_page.py`` in the project root with a function
``page(db)``. ``TITLE`` and ``ICON`` are parsed from the source, so that a page that cannot be imported does
not affect the others.
"""

from __future__ import annotations

import ast
import logging
import os
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

import streamlit as st
from streamlit.errors import FragmentHandledException, StreamlitAPIException
from streamlit.runtime.scriptrunner import RerunException, StopException

from lavendertown.collaboration.database_storage import SQLALCHEMY_MISSING, DatabaseStorage
from lavendertown.core.errors import LavenderTownError
from lavendertown.ui import errors, page_tools, queries

MENU = "Project"
PAGE_FUNCTION = "page"
log = logging.getLogger("lavendertown.ui")

_SKIPPED_FOLDERS = {"node_modules", "__pycache__"}
_NUMBER = re.compile(r"^\d+[ _.-]*(?=.)")
_FileSignature = tuple[int, int, int]
_PageFunction = Callable[[Any], object]


class PluginPageError(LavenderTownError):
    """A plug-in page cannot be shown; its changes in this run were rolled back."""


@dataclass(frozen=True)
class PluginPage:
    """The description of a plug-in page, parsed from its source.

    Attributes:
        path: The file.
        relative_path: The file relative to the project root.
        title: Its title in the navigation.
        icon: Its icon in the navigation, or None.
        address: The last part of its URL.
        description: The first line of its docstring as Markdown; empty without a docstring.
        problem: A sentence on why the page cannot run; empty if it can.
    """

    path: Path
    relative_path: str
    title: str
    icon: str | None
    address: str
    description: str
    problem: str = ""


def navigation_pages() -> list[st.Page]:
    """Return the plug-in pages for the navigation, without importing them."""
    return [_navigation_page(plugin_page) for plugin_page in find_plugin_pages(Path.cwd())]


def find_plugin_pages(root: Path) -> list[PluginPage]:
    """Return the plug-in pages of a project; a number is added to duplicate addresses."""
    pages: list[PluginPage] = []
    taken: set[str] = set()
    for path in _page_files(root):
        described = _cached_description(path, root, _file_signature(path))
        if described is None:
            continue
        address, number = described.address, 2
        while described.address in taken:
            described = replace(described, address=f"{address}-{number}")
            number += 1
        taken.add(described.address)
        pages.append(described)
    return pages


def show_plugin_page(plugin_page: PluginPage) -> None:
    """Run a page in one transaction; show an error as one sentence where the page stopped.

    The transaction is committed when the page ends, also through ``st.rerun``, ``st.stop``,
    ``st.switch_page`` or a click elsewhere. It is rolled back if the page raises. A refused write is shown
    in its own words, any other error as a failure of the page.

    Raises:
        ImportError: The database libraries are not installed.
        LavenderTownError: The store cannot be opened.
    """
    try:
        run_plugin_page(plugin_page)
    except PluginPageError as error:
        log.error("%s", error, exc_info=error.__cause__)
        st.error(errors.error_message(error)[0], icon=":material/extension_off:")
    except FragmentHandledException:
        # A fragment of the page already showed its error; the transaction was rolled back.
        return
    except Exception as error:
        if errors.find_refusal(error) is None:
            raise
        errors.show_error(error)


def run_plugin_page(plugin_page: PluginPage) -> None:
    """Run a page in one transaction, as :func:`show_plugin_page` does, but raise its error.

    Raises:
        PluginPageError: The page raised, or cannot be imported.
        Exception: A read or write of the page was refused; see :func:`errors.find_refusal`.
    """
    function = _load_function(plugin_page)
    opened = _open_session()
    ending: BaseException | None = None
    try:
        with opened as db, page_tools.use_page_session(db):
            try:
                function(db)
            except (StopException, RerunException) as end:
                # Streamlit ends scripts this way. A rollback would lose what the page wrote before it
                # called st.rerun().
                ending = end
    except (FragmentHandledException, PluginPageError):
        raise
    except (Exception, SystemExit) as error:
        if errors.find_refusal(error) is not None:
            raise
        raise PluginPageError(
            f"The page {plugin_page.relative_path} failed{_error_line(plugin_page, error.__traceback__)}: "
            f"{_error_reason(error)}. Its changes in this run "
            "were rolled back. Fix the file, then reload the page."
        ) from error
    if ending is not None:
        raise ending


def _navigation_page(plugin_page: PluginPage) -> st.Page:
    def draw() -> None:
        show_plugin_page(plugin_page)

    options: dict[str, Any] = {
        "title": plugin_page.title,
        "url_path": plugin_page.address,
        "help": plugin_page.description or None,
    }
    try:
        return st.Page(draw, icon=plugin_page.icon, **options)
    except StreamlitAPIException:
        problem = (
            f"The ICON of {plugin_page.relative_path}, {plugin_page.icon!r}, is neither an emoji "
            "nor ':material/NAME:'. Fix it."
        )
        plugin_page = replace(plugin_page, icon=None, problem=plugin_page.problem or problem)
        return st.Page(draw, **options)


def _open_session() -> AbstractContextManager[Any]:
    """Open a session on the database with the reports, or on the application's if reports are in files."""
    storage = queries.current_storage()
    if isinstance(storage, DatabaseStorage):
        return storage.session()
    from lavendertown.database import transaction

    return transaction()


# Discovery


def _page_files(root: Path) -> Iterator[Path]:
    yield from sorted(path for path in (root / "pages").glob("*.py") if path.name[0] not in "._")
    components: list[Path] = []
    for folder, inner, names in os.walk(root / "components"):
        inner[:] = [name for name in inner if name not in _SKIPPED_FOLDERS and not name.startswith(".")]
        components += [Path(folder) / name for name in names if name.endswith("_page.py")]
    yield from sorted(components)


def _file_signature(path: Path) -> _FileSignature:
    try:
        stat = path.stat()
    except OSError:
        return 0, 0, 0
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


_descriptions: dict[Path, tuple[_FileSignature, PluginPage | None]] = {}


def _cached_description(path: Path, root: Path, signature: _FileSignature) -> PluginPage | None:
    """Return the description of a file's page, or None; the file is parsed again only if it changed."""
    known = _descriptions.get(path)
    if known is None or known[0] != signature:
        known = _descriptions[path] = signature, _describe_page(path, path.relative_to(root).as_posix())
    return known[1]


def _describe_page(path: Path, relative_path: str) -> PluginPage | None:
    name = _NUMBER.sub("", path.stem.removesuffix("_page") or path.stem)
    words = name.replace("_", " ").strip() or path.stem
    slug = re.sub(r"[^\w]+|_+", "-", name.lower()).strip("-")
    own = PluginPage(path, relative_path, words[:1].upper() + words[1:], None, f"page-{slug or 'x'}", "")
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, ValueError, SyntaxError) as error:
        line = f" at line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        return replace(
            own, problem=f"The page {relative_path} cannot be read{line}: {_first_line(error)}. Fix the file."
        )
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    functions = [node for node in tree.body if isinstance(node, kinds) and node.name == PAGE_FUNCTION]
    if not functions:
        return None
    description = ast.get_docstring(tree) or ast.get_docstring(functions[-1]) or ""
    title, icon = _read_constant(tree, "TITLE"), _read_constant(tree, "ICON")
    problem = ""
    if isinstance(functions[-1], ast.AsyncFunctionDef):
        problem = f"The function {PAGE_FUNCTION} in {relative_path} is async; make it a plain def."
    description = description.partition("\n")[0]
    return replace(own, title=title or own.title, icon=icon or None, description=description, problem=problem)


def _read_constant(tree: ast.Module, name: str) -> str:
    """Return a string constant of a module; empty if it does not define it."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            value = getattr(getattr(node, "value", None), "value", None)
            return value.strip() if isinstance(value, str) else ""
    return ""


# Import

_functions: dict[Path, tuple[_FileSignature, _PageFunction]] = {}
_import_lock = threading.RLock()


def _load_function(plugin_page: PluginPage) -> _PageFunction:
    """Return the function of a page; the file is imported again if it changed."""
    if plugin_page.problem:
        raise PluginPageError(plugin_page.problem)
    with _import_lock:
        signature = _file_signature(plugin_page.path)
        known = _functions.get(plugin_page.path)
        if known is None or known[0] != signature:
            known = _functions[plugin_page.path] = signature, _import_page(plugin_page)
        return known[1]


def _import_page(plugin_page: PluginPage) -> _PageFunction:
    try:
        from lavendertown.database.project.model_discovery import discover_models
    except ImportError as error:
        raise ImportError(SQLALCHEMY_MISSING) from error
    root = Path(str(plugin_page.path).removesuffix(plugin_page.relative_path))
    discover_models(root)
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    module = ModuleType(f"lavendertown_{plugin_page.address.replace('-', '_')}")
    module.__file__ = str(plugin_page.path)
    # Dataclasses look up their module in sys.modules.
    sys.modules[module.__name__] = module
    try:
        exec(compile(plugin_page.path.read_bytes(), str(plugin_page.path), "exec"), vars(module))
        function: _PageFunction = getattr(module, PAGE_FUNCTION)
    except (Exception, SystemExit) as error:
        raise PluginPageError(
            f"The page {plugin_page.relative_path} cannot be "
            f"imported{_error_line(plugin_page, error.__traceback__)}: {_error_reason(error)}. "
            "Fix the file, then reload the page."
        ) from error
    return function


# Messages


def _error_line(plugin_page: PluginPage, trace: TracebackType | None) -> str:
    lines = [
        line for frame, line in traceback.walk_tb(trace) if frame.f_code.co_filename == str(plugin_page.path)
    ]
    return f" at line {lines[-1]}" if lines else ""


def _error_reason(error: BaseException) -> str:
    from lavendertown.stores.sql.connection.errors import driver_reason

    return driver_reason(error)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
