"""Who may leave a page: the page's own script, never a dialog or a fragment in it."""

from __future__ import annotations

import ast
from pathlib import Path

UI = Path(__file__).parents[2] / "lavendertown" / "ui"
PARTIAL = ("st.dialog", "st.fragment")
NAVIGATES = {"layout.go_to", "go_to"}


def called_names(node: ast.AST) -> set[str]:
    """The names that a piece of source calls, as they are written."""
    return {ast.unparse(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}


def functions() -> dict[str, ast.FunctionDef]:
    """All functions of the screens, as ``module.function``."""
    trees = {path.stem: ast.parse(path.read_text("utf-8")) for path in UI.rglob("*.py")}
    return {
        f"{module}.{node.name}": node
        for module, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }


def is_partial(function: ast.FunctionDef) -> bool:
    """Whether a function is drawn without its page: a dialog or a fragment."""
    return any(ast.unparse(mark).startswith(PARTIAL) for mark in function.decorator_list)


def test_no_dialog_or_fragment_navigates() -> None:
    # Its elements could reach the browser after the page they belong to is gone, which breaks the page.
    known = functions()
    reached = {name: {name} for name, function in known.items() if is_partial(function)}
    # A dialog that is made where it is opened.
    reached["dialogs.content"] = {"dialogs.content"}
    assert len(reached) > 5
    for start, names in reached.items():
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            module = name.partition(".")[0]
            called = called_names(known[name])
            assert not NAVIGATES & called, f"{start} goes to another screen through {name}"
            new = {call if call in known else f"{module}.{call}" for call in called} & set(known)
            waiting += new - names
            names |= new


def test_only_a_deep_link_changes_the_screen_on_the_server_alone() -> None:
    # A timed refresh that is under way then whitens the page; see layout.go_to.
    calling = {name for name, function in functions().items() if "st.switch_page" in called_names(function)}
    assert calling == {"main.follow_deep_link"}
