"""Replace the times and ids that a store generates by fixed ones, so that two runs can be compared.

The clock of the product is not touched: each step of the demo store notes when it ran, and every time
that falls into a step is written as that step's fixed time. The replacement keeps the form of a value, so
the files stay readable as a store.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FIRST_STEP = dt.datetime(2026, 4, 1, 9, 0, 0, 123456, tzinfo=dt.UTC)
"""The fixed time of the first step; each further step is a minute later."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")


@dataclass
class Recording:
    """When each step ran, and which ids were generated.

    Attributes:
        replaced: Generated text → its fixed replacement.
    """

    replaced: dict[str, str] = field(default_factory=dict)
    _steps: list[tuple[dt.datetime, dt.datetime]] = field(default_factory=list)

    @contextmanager
    def step(self) -> Iterator[None]:
        """Note that everything written within the block belongs to one step."""
        start = dt.datetime.now(dt.UTC)
        yield
        self._steps.append((start, dt.datetime.now(dt.UTC)))

    def replace_ids(self, generated: tuple[str, ...]) -> None:
        """Write generated ids of 32 hex digits as numbers of 32 digits."""
        for each in generated:
            self.replaced[each] = f"{len(self.replaced) + 1:032}"

    def fixed_time(self, moment: dt.datetime) -> dt.datetime:
        """Return the fixed time of the step that a time falls into, or the time itself."""
        for number, (start, end) in enumerate(self._steps):
            if start <= moment <= end:
                return FIRST_STEP + dt.timedelta(minutes=number)
        return moment

    def fixed_text(self, text: str) -> str:
        """Return a text with every generated time and id replaced."""
        for generated, fixed in self.replaced.items():
            text = text.replace(generated, fixed)
        return _TIME.sub(lambda match: self._fixed_match(match.group()), text)

    def fixed_value(self, value: Any) -> Any:
        """Return an answer of the storage as JSON values, with generated times and ids replaced."""
        if isinstance(value, dt.datetime):
            return self.fixed_time(value.astimezone(dt.UTC)).isoformat()
        if isinstance(value, str):
            return self.fixed_text(value)
        if isinstance(value, Mapping):
            return {self.fixed_text(str(key)): self.fixed_value(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.fixed_value(each) for each in value]
        return value

    def _fixed_match(self, text: str) -> str:
        moment = dt.datetime.fromisoformat(text)
        # An application's own column may keep no zone; LavenderTown writes it in UTC.
        aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        fixed = self.fixed_time(aware)
        if fixed == aware:
            return text
        zone = "Z" if text.endswith("Z") else "+00:00" if moment.tzinfo else ""
        return fixed.isoformat().replace("+00:00", zone)


def read_folder(folder: Path, recording: Recording) -> dict[str, str]:
    """Return the files of a data folder by relative path, with generated times and ids replaced.

    Locks, journals and the ledger of migrations are left out, and so are the audit events of migrations:
    they describe the run, not the records. The audit files of the months of this run are joined under the
    month of the steps.
    """
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() or name.startswith(".") or name.split("/")[0] == "moves":
            continue
        text = recording.fixed_text(path.read_bytes().decode("utf-8"))
        if name.startswith("audit/"):
            name = f"audit/{FIRST_STEP:%Y-%m}.jsonl"
            lines = [line for line in text.splitlines(keepends=True) if '"component":"store"' not in line]
            text = found.get(name, "") + "".join(lines)
        found[recording.fixed_text(name)] = text
    return found
