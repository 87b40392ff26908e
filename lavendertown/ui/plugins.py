"""Pages of the project's own: found, named in the navigation, and run with a session of their own.

A page is a file ``pages/NAME.py`` or ``components/**/NAME_page.py`` in the project root with a function
``page(db)``. ``TITLE`` and ``ICON`` are read from the file as text, so that one page that cannot be
imported hurts no other.
"""

from __future__ import annotations

import ast
import inspect
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
from types import CodeType, ModuleType, TracebackType
from typing import Any

import streamlit as st
from streamlit.errors import FragmentHandledException, StreamlitAPIException
from streamlit.runtime.scriptrunner import RerunException, StopException

from lavendertown.collaboration.database_storage import MISSING, DatabaseStorage
from lavendertown.errors import LavenderTownError
from lavendertown.ui import reads

MENU = "Project"
FUNCTION = "page"
log = logging.getLogger("lavendertown.ui")

_SKIPPED = {"node_modules", "__pycache__"}
_NUMBER = re.compile(r"^\d+[ _.-]*(?=.)")
_Signature = tuple[int, int, int]
_Function = Callable[[Any], object]


class PageError(LavenderTownError):
    """A page of the project's own cannot be shown; what it wrote in this run was undone."""


@dataclass(frozen=True)
class OwnPage:
    """What a page's file says about it.

    Attributes:
        path: The file.
        place: The file, from the project root on.
        address: The last part of its URL.
        about: The first line of its docstring, Markdown; empty where there is none.
        problem: Why it cannot be run, a sentence; empty where it can.
    """

    path: Path
    place: str
    title: str
    icon: str | None
    address: str
    about: str
    problem: str = ""


def pages() -> list[st.Page]:
    """Return the project's pages for the navigation; none is imported for that."""
    return [_page(found) for found in find(Path.cwd())]


def find(root: Path) -> list[OwnPage]:
    """Return the pages of a project by their paths; those of one name get a number in their addresses."""
    found: list[OwnPage] = []
    taken: set[str] = set()
    for path in _files(root):
        described = _described(path, root, _signature(path))
        if described is None:
            continue
        address, number = described.address, 2
        while described.address in taken:
            described = replace(described, address=f"{address}-{number}")
            number += 1
        taken.add(described.address)
        found.append(described)
    return found


def show(own: OwnPage) -> None:
    """Run a page as one unit of work; what it raises is one sentence in its place.

    It is committed when the page ends, be it by ``st.rerun``, ``st.stop`` or ``st.switch_page`` of its
    own, and undone when it raises or when Streamlit interrupts it.

    Raises:
        ImportError: The database libraries are not installed.
        LavenderTownError: The store cannot be opened.
    """
    try:
        run(own)
    except PageError as error:
        log.error("%s", error, exc_info=error.__cause__)
        st.error(str(error), icon=":material/extension_off:")
    except FragmentHandledException:
        # A fragment of the page has shown its error itself; the unit of work was undone.
        return


def run(own: OwnPage) -> None:
    """Run a page as one unit of work, as :func:`show` does.

    Raises:
        PageError: It raised, or cannot be imported.
    """
    function = _function(own)
    opened = _session()
    ending: BaseException | None = None
    try:
        with opened as db:
            try:
                function(db)
            except (StopException, RerunException) as end:
                if not ended_itself(end):
                    raise
                ending = end
    except (FragmentHandledException, PageError):
        raise
    except (Exception, SystemExit) as error:
        raise PageError(
            f"The page {own.place} failed{_line(own, error.__traceback__)}: {_reason(error)}. What it wrote "
            "in this run was undone. Mend the file, then load the page again."
        ) from error
    if ending is not None:
        raise ending


def ended_itself(end: BaseException) -> bool:
    """Tell a page's own ``st.rerun``, ``st.stop`` or ``st.switch_page`` from an interruption.

    Streamlit raises the same exceptions for both: from inside those functions, or from whichever
    element the page was drawing when a visitor clicked or left.
    """
    frames = traceback.walk_tb(end.__traceback__)
    return any(frame.f_code in _ENDINGS for frame, _ in frames)


def _code(command: Callable[..., object]) -> CodeType:
    function = inspect.unwrap(command)
    assert inspect.isfunction(function)
    return function.__code__


_ENDINGS = {_code(st.rerun), _code(st.stop), _code(st.switch_page)}


def _page(own: OwnPage) -> st.Page:
    def draw() -> None:
        show(own)

    given: dict[str, Any] = {"title": own.title, "url_path": own.address, "help": own.about or None}
    try:
        return st.Page(draw, icon=own.icon, **given)
    except StreamlitAPIException:
        problem = (
            f"The ICON of {own.place}, {own.icon!r}, is neither an emoji nor ':material/NAME:'. Mend it."
        )
        own = replace(own, icon=None, problem=own.problem or problem)
        return st.Page(draw, **given)


def _session() -> AbstractContextManager[Any]:
    """Open the team's database where reports are kept in one, else the application's."""
    storage = reads.storage()
    if isinstance(storage, DatabaseStorage):
        return storage.session()
    from lavendertown.database import transaction

    return transaction()


# Finding


def _files(root: Path) -> Iterator[Path]:
    yield from sorted(path for path in (root / "pages").glob("*.py") if path.name[0] not in "._")
    components: list[Path] = []
    for folder, inner, names in os.walk(root / "components"):
        inner[:] = [name for name in inner if name not in _SKIPPED and not name.startswith(".")]
        components += [Path(folder) / name for name in names if name.endswith("_page.py")]
    yield from sorted(components)


def _signature(path: Path) -> _Signature:
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_ino, found.st_mtime_ns, found.st_size


_descriptions: dict[Path, tuple[_Signature, OwnPage | None]] = {}


def _described(path: Path, root: Path, signature: _Signature) -> OwnPage | None:
    """Return what a file says about its page, None where it has none; read again only when it changed."""
    known = _descriptions.get(path)
    if known is None or known[0] != signature:
        known = _descriptions[path] = signature, _describe(path, path.relative_to(root).as_posix())
    return known[1]


def _describe(path: Path, place: str) -> OwnPage | None:
    name = _NUMBER.sub("", path.stem.removesuffix("_page") or path.stem)
    words = name.replace("_", " ").strip() or path.stem
    slug = re.sub(r"[^\w]+|_+", "-", name.lower()).strip("-")
    own = OwnPage(path, place, words[:1].upper() + words[1:], None, f"page-{slug or 'x'}", "")
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, ValueError, SyntaxError) as error:
        line = f" at line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        return replace(
            own, problem=f"The page {place} cannot be read{line}: {_first_line(error)}. Mend the file."
        )
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    functions = [node for node in tree.body if isinstance(node, kinds) and node.name == FUNCTION]
    if not functions:
        return None
    about = ast.get_docstring(tree) or ast.get_docstring(functions[-1]) or ""
    title, icon = _constant(tree, "TITLE"), _constant(tree, "ICON")
    problem = ""
    if isinstance(functions[-1], ast.AsyncFunctionDef):
        problem = f"The function {FUNCTION} in {place} is async; make it a plain def."
    about = about.partition("\n")[0]
    return replace(own, title=title or own.title, icon=icon or None, about=about, problem=problem)


def _constant(tree: ast.Module, name: str) -> str:
    """Return a text that a module gives a name to; empty where it does not."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            value = getattr(getattr(node, "value", None), "value", None)
            return value.strip() if isinstance(value, str) else ""
    return ""


# Importing

_functions: dict[Path, tuple[_Signature, _Function]] = {}
_importing = threading.RLock()


def _function(own: OwnPage) -> _Function:
    """Return a page's function; its file is run again when it changed."""
    if own.problem:
        raise PageError(own.problem)
    with _importing:
        signature = _signature(own.path)
        known = _functions.get(own.path)
        if known is None or known[0] != signature:
            known = _functions[own.path] = signature, _import(own)
        return known[1]


def _import(own: OwnPage) -> _Function:
    try:
        from lavendertown.database.project.models import discover
    except ImportError as error:
        raise ImportError(MISSING) from error
    root = Path(str(own.path).removesuffix(own.place))
    discover(root)
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    module = ModuleType(f"lavendertown_{own.address.replace('-', '_')}")
    module.__file__ = str(own.path)
    # Dataclasses look for their module there.
    sys.modules[module.__name__] = module
    try:
        exec(compile(own.path.read_bytes(), str(own.path), "exec"), vars(module))
        function: _Function = getattr(module, FUNCTION)
    except (Exception, SystemExit) as error:
        raise PageError(
            f"The page {own.place} cannot be imported{_line(own, error.__traceback__)}: {_reason(error)}. "
            "Mend the file, then load the page again."
        ) from error
    return function


# Words


def _line(own: OwnPage, trace: TracebackType | None) -> str:
    lines = [line for frame, line in traceback.walk_tb(trace) if frame.f_code.co_filename == str(own.path)]
    return f" at line {lines[-1]}" if lines else ""


def _reason(error: BaseException) -> str:
    from lavendertown.database.errors import reason

    return reason(error)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
