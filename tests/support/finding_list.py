"""Read the list of findings of a dashboard under AppTest."""

from __future__ import annotations

import json
from typing import Any

from streamlit.testing.v1 import AppTest


def listed_rows(app: AppTest) -> list[dict[str, Any]]:
    """Return the cells of each row by column; empty if no list is shown."""
    lists = app.get("bidi_component")
    if not lists:
        return []
    (found,) = lists
    return [row["cells"] for row in json.loads(found.proto.json)["rows"]]
