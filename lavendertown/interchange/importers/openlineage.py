"""OpenLineage events with the facet ``dataQualityAssertions``. A dataset of a run is imported by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lavendertown.core.findings import WHOLE_ROW
from lavendertown.interchange.formats import (
    Content,
    ImportFormat,
    read_list,
    read_mapping,
    read_text,
    read_time,
)
from lavendertown.interchange.json_stream import read_items
from lavendertown.interchange.runs import CheckResult, Failure, ImportedRun, RunBuilder
from lavendertown.interchange.sources import ResultFile
from lavendertown.interchange.wording import guess_ghost_type

_SEVERITIES = {"warn": "warning", "warning": "warning", "info": "info"}
_FACETS = ("inputFacets", "outputFacets", "facets")


def _is_events(content: Content) -> bool:
    outline = content.outline
    return any(outline.has(f"{prefix}eventTime", f"{prefix}producer") for prefix in ("", "[]/"))


def _read_events(file: ResultFile, descriptions: Sequence[ResultFile]) -> list[ImportedRun]:
    runs: dict[tuple[str, str, str], RunBuilder] = {}
    is_array = file.first_character() == b"["
    for path, event in read_items(file, ["[]"] if is_array else [""], (), ("sql", "columnLineage", "schema")):
        if isinstance(event, dict) and (path or not is_array):
            _add_event(runs, event)
    return [run.finish() for run in runs.values()]


def _add_event(runs: dict[tuple[str, str, str], RunBuilder], event: Mapping[str, Any]) -> None:
    run_id = read_text(read_mapping(event.get("run")).get("runId"))
    for dataset, facet in _iterate_facets(event):
        key = (run_id, read_text(dataset.get("namespace")), read_text(dataset.get("name")))
        run = runs.setdefault(key, RunBuilder("OpenLineage"))
        run.dataset, run.run_id = key[2], run_id
        run.ran_at = read_time(event.get("eventTime")) or run.ran_at
        for assertion in map(read_mapping, read_list(facet.get("assertions"))):
            _add_assertion(run, assertion)


def _iterate_facets(event: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield each dataset of an event with its facet of assertions."""
    datasets = [*read_list(event.get("inputs")), *read_list(event.get("outputs")), event.get("dataset")]
    for dataset in map(read_mapping, datasets):
        for name in _FACETS:
            facet = read_mapping(read_mapping(dataset.get(name)).get("dataQualityAssertions"))
            if facet:
                yield dataset, facet


def _add_assertion(run: RunBuilder, assertion: Mapping[str, Any]) -> None:
    name = read_text(assertion.get("assertion")) or "assertion without a name"
    check = CheckResult(f"openlineage:{name}", read_text(assertion.get("column")) or WHOLE_ROW)
    severity = _SEVERITIES.get(read_text(assertion.get("severity")).lower(), "error")
    success = assertion.get("success")
    if success is True:
        run.add_pass(check)
    elif success is False:
        run.add_failure(Failure(check, guess_ghost_type(name), severity))
    else:
        run.add_not_run(check)


EVENTS = ImportFormat("openlineage", "OpenLineage events", _is_events, _read_events)
