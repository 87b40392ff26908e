"""Keep the runs that were read from files of other tools as JSON, to pass them from a worker process."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lavendertown.core import json_codec
from lavendertown.core.findings import GhostFinding
from lavendertown.interchange.reading import ReadRun
from lavendertown.interchange.runs import CheckResult, ImportedRun
from lavendertown.profile.evidence import Evidence


def write_run_file(path: Path, runs: list[ReadRun]) -> None:
    """Write runs to a file, for :func:`read_run_file`."""
    path.write_bytes(json_codec.dumps(json_codec.to_jsonable([_to_dict(each) for each in runs])))


def read_run_file(path: Path) -> list[ReadRun]:
    """Return the runs that :func:`write_run_file` wrote."""
    return [_from_dict(each) for each in json_codec.loads(path.read_bytes())]


def _to_dict(read: ReadRun) -> dict[str, Any]:
    run = read.run
    return {
        "file_name": read.file_name,
        "digest": read.digest,
        "run": {
            "tool": run.tool,
            "tool_version": run.tool_version,
            "dataset": run.dataset,
            "ran_at": run.ran_at.isoformat() if run.ran_at is not None else None,
            "run_id": run.run_id,
            "findings": [each.to_dict() for each in run.findings],
            "passed": [asdict(each) for each in run.passed],
            "errored": [asdict(each) for each in run.errored],
            "not_run": [asdict(each) for each in run.not_run],
            "row_count": run.row_count,
            "samples": {place: asdict(each) for place, each in run.samples.items()},
            "first_row": run.first_row,
            "has_unique_check_ids": run.has_unique_check_ids,
            "report": run.report,
        },
    }


def _from_dict(data: dict[str, Any]) -> ReadRun:
    run = dict(data["run"])
    run["ran_at"] = dt.datetime.fromisoformat(run["ran_at"]) if run["ran_at"] else None
    run["findings"] = tuple(GhostFinding.from_dict(each) for each in run["findings"])
    run["samples"] = Evidence.from_dict({"samples": run["samples"]}).samples
    for name in ("passed", "errored", "not_run"):
        run[name] = tuple(CheckResult(**each) for each in run[name])
    return ReadRun(ImportedRun(**run), data["file_name"], data["digest"])
