"""The golden files: how they are written, and how a difference is reported in one sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).parent / "assets"
REGENERATE = (
    "If this change is intended, run `python -m tests.golden.make_golden_assets` and review the diff."
)
_LONGEST = 120


def as_text(value: Any) -> str:
    """Return JSON for a golden file: sorted keys, one item a line."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def read_golden(name: str) -> Any:
    """Return the content of a golden JSON file."""
    return json.loads((ASSETS / name).read_text("utf-8"))


def check_value(name: str, actual: Any) -> None:
    """Compare an answer with the golden file of that name.

    Raises:
        AssertionError: They differ; one sentence names the first difference and what to do.
    """
    # Through JSON, so that a tuple equals a list and every key is a text.
    found = next(_differences(read_golden(name), json.loads(as_text(actual)), ""), None)
    if found is not None:
        raise AssertionError(f"In tests/golden/assets/{name}, {found}. {REGENERATE}")


def read_texts(folder: str) -> dict[str, str]:
    """Return the golden texts in a folder, by relative path."""
    root = ASSETS / folder
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes().decode("utf-8") for path in paths}


def check_texts(folder: str, actual: Mapping[str, str]) -> None:
    """Compare files, byte for byte, with those in a golden folder.

    Raises:
        AssertionError: One differs, is missing or is new; one sentence names the first and what to do.
    """
    expected = read_texts(folder)
    for name in sorted(expected.keys() | actual.keys()):
        found = _text_difference(expected.get(name), actual.get(name))
        if found is not None:
            raise AssertionError(f"The file tests/golden/assets/{folder}/{name} {found}. {REGENERATE}")


def _text_difference(expected: str | None, actual: str | None) -> str | None:
    if expected == actual:
        return None
    if expected is None:
        return "is not in the golden folder, but is written now"
    if actual is None:
        return "is not written any more"
    before, now = expected.splitlines(), actual.splitlines()
    for number, (old, new) in enumerate(zip(before, now, strict=False), 1):
        if old != new:
            return f"differs in line {number}: {_short(old)} became {_short(new)}"
    return f"has {len(now)} lines now instead of {len(before)}, or another end"


def _differences(expected: Any, actual: Any, where: str) -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted(expected.keys() | actual.keys()):
            at = f"{where}[{key!r}]"
            if key not in actual:
                yield f"{at} is missing now"
            elif key not in expected:
                yield f"{at} is new: {_short(actual[key])}"
            else:
                yield from _differences(expected[key], actual[key], at)
    elif isinstance(expected, list) and isinstance(actual, list):
        for index, (old, new) in enumerate(zip(expected, actual, strict=False)):
            yield from _differences(old, new, f"{where}[{index}]")
        if len(expected) != len(actual):
            yield f"{where} has {len(actual)} items now instead of {len(expected)}"
    elif type(expected) is not type(actual) or expected != actual:
        yield f"{where} changed from {_short(expected)} to {_short(actual)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
