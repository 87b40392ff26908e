"""No notice shows text that was not escaped: read from the source, so that a new view cannot forget."""

from __future__ import annotations

import ast
from collections.abc import Set
from pathlib import Path

import pytest

UI = Path(__file__).parents[2] / "lavendertown" / "ui"
NOTICES = {f"st.{name}" for name in ("error", "warning", "info", "success", "toast", "exception")}
"""Streamlit's functions that show a sentence; all of them read it as Markdown."""
SAFE = {
    "escape_markdown",
    "inline_code",
    "comment_markdown",
    "escape_text",
    "as_markdown",
    "Markdown",
    "error_message",
    "format_count",
    "format_time",
    "relative_time",
    "format_duration",
}
"""Functions that return Markdown whose outside parts are escaped, or plain words of ours."""
MARKDOWN = {
    ("components/shared/layout.py", "notice.text"),  # a Notice's text is Markdown, mypy holds it
    ("components/data/backups.py", "preview.refusal"),  # of the type Markdown
    ("errors.py", "text"),  # of the type Markdown, from error_message()
}
"""Expressions whose type says that they are Markdown."""


def is_safe(node: ast.expr, place: str, names: Set[str]) -> bool:
    """Tell whether an expression can only be words of ours and escaped text."""
    match node:
        case ast.Constant():
            return True
        case ast.JoinedStr(values=values):
            parts = [each.value for each in values if isinstance(each, ast.FormattedValue)]
            return all(is_safe(each, place, names) for each in parts)
        case ast.Subscript(value=value):
            return is_safe(value, place, names)
        case ast.IfExp(body=body, orelse=other):
            return is_safe(body, place, names) and is_safe(other, place, names)
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name in SAFE
        case _:
            text = ast.unparse(node)
            return text in names or (place, text) in MARKDOWN


def escaped_names(function: ast.FunctionDef, place: str) -> set[str]:
    """Return the names to which a function assigns escaped text only."""
    found: dict[str, bool] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name, safe = node.targets[0].id, {each for each, good in found.items() if good}
            found[name] = found.get(name, True) and is_safe(node.value, place, safe)
    return {name for name, good in found.items() if good}


@pytest.mark.parametrize("path", sorted(UI.rglob("*.py")), ids=lambda path: str(path.relative_to(UI)))
def test_a_notice_shows_escaped_text_only(path: Path) -> None:
    place = str(path.relative_to(UI))
    functions = [
        each for each in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(each, ast.FunctionDef)
    ]
    for function in functions:
        names = escaped_names(function, place)
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in NOTICES:
                assert is_safe(node.args[0], place, names), f"{place}:{node.lineno}"
