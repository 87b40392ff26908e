"""dbt: ``run_results.json`` of any version, with or without ``manifest.json``, and ``sources.json``.

All tests of a project are one dataset, named after the project, and columns are named ``model.column``. The
unique id of a test, or of a source whose freshness is checked, is its check id.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from lavendertown.core.findings import WHOLE_ROW
from lavendertown.interchange.formats import (
    Content,
    ImportFormat,
    read_count,
    read_list,
    read_mapping,
    read_text,
    read_time,
)
from lavendertown.interchange.json_stream import read_items
from lavendertown.interchange.runs import (
    CheckResult,
    Failure,
    ImportedRun,
    Outcome,
    RunBuilder,
)
from lavendertown.interchange.sources import ResultFile
from lavendertown.interchange.wording import describe_failure, guess_ghost_type

_TEST_KINDS = ("test", "unit_test")
_OUTCOMES: dict[str, Outcome] = {
    "pass": "passed",
    "success": "passed",
    "fail": "found",
    "warn": "found",
    "error": "failed",
    "runtime error": "failed",
}
"""Outcomes by status; a test with any other status, such as ``skipped``, did not run."""
_FRESHNESS_OUTCOMES: dict[str, Outcome] = _OUTCOMES | {"error": "found"}
"""An ``error`` of the freshness of a source means that it is too old; a crash is a ``runtime error``."""
_GENERIC_TESTS = ("not_null", "unique", "accepted_values", "relationships")
_RELATION = re.compile(r"\bfrom\s+((?:[`\"\[]?[\w$-]+[`\"\]]?\.)*[`\"\[]?[\w$-]+[`\"\]]?)", re.IGNORECASE)
_TESTED_RELATION = re.compile(r"""(?:ref|source)\((?:\s*['"][^'"]*['"]\s*,)*\s*['"]([^'"]+)['"]""")
_NODE_KEYS = (
    "name",
    "column_name",
    "attached_node",
    "test_metadata",
    "depends_on",
    "config",
    "description",
)


def _is_run_results(content: Content) -> bool:
    schema = content.outline.texts.get("metadata/dbt_schema_version", "")
    named = "run-results" in schema or "/sources/" in schema
    return named or content.outline.has("results/[]/unique_id", "results/[]/status")


def _is_manifest(content: Content) -> bool:
    schema = content.outline.texts.get("metadata/dbt_schema_version", "")
    return "/manifest/" in schema or content.outline.has("metadata/dbt_version", "nodes")


def _read_run_results(file: ResultFile, descriptions: Sequence[ResultFile]) -> list[ImportedRun]:
    nodes, project = _read_manifests(descriptions)
    run = RunBuilder("dbt")
    run.has_unique_check_ids = True
    projects: Counter[str] = Counter()
    dropped = ("timing", "adapter_response", "batch_results")
    for path, value in read_items(file, ["results/[]"], ["metadata"], dropped):
        if path:
            _add_result(run, read_mapping(value), nodes, projects)
        else:
            metadata = read_mapping(value.get("metadata"))
            run.tool_version = read_text(metadata.get("dbt_version"))
            run.ran_at = read_time(metadata.get("generated_at"))
            run.run_id = read_text(metadata.get("invocation_id"))
    run.dataset = project or next((name for name, _ in projects.most_common(1)), "")
    return [run.finish()]


def _read_manifests(files: Sequence[ResultFile]) -> tuple[dict[str, Mapping[str, Any]], str]:
    """Return the tests of the manifests by unique id, and the name of the project."""
    nodes: dict[str, Mapping[str, Any]] = {}
    project = ""
    for file in files:
        for path, value in read_items(file, ["nodes/*", "unit_tests/*"], ["metadata/project_name"]):
            if not path:
                project = read_text(value.get("metadata/project_name")) or project
            elif path[1].startswith(("test.", "unit_test.")) and isinstance(value, dict):
                nodes[path[1]] = {key: value[key] for key in _NODE_KEYS if key in value}
    return nodes, project


def _add_result(
    run: RunBuilder,
    result: Mapping[str, Any],
    nodes: Mapping[str, Mapping[str, Any]],
    projects: Counter[str],
) -> None:
    # Before version 1 of the format, a result contained the whole node.
    unique_id = read_text(result.get("unique_id")) or read_text(
        read_mapping(result.get("node")).get("unique_id")
    )
    kind, _, rest = unique_id.partition(".")
    project, _, name = rest.partition(".")
    if project:
        projects[project] += 1
    if kind == "source":
        _add_freshness(run, result, unique_id)
    if kind not in _TEST_KINDS:
        return
    node = nodes.get(unique_id) or read_mapping(result.get("node"))
    test, table, column, params = _describe_test(kind, name, node, result)
    check = CheckResult(
        test, ".".join(filter(None, (table, column))) or WHOLE_ROW, params, f"dbt:{unique_id}"
    )
    status = read_text(result.get("status")).lower()
    message = read_text(result.get("message"))
    count = _count_failures(result, message)
    failure = Failure(
        check,
        guess_ghost_type(test),
        severity="warning" if status == "warn" else "error",
        count=count,
        detail=_describe_values(test, check.column, count)
        or _describe_unplaced(test, name, check.column, count),
        metadata={"table": table} if table else {},
    )
    run.add_outcome(_OUTCOMES.get(status, "not_run"), check, failure, _error_reason(message))


def _add_freshness(run: RunBuilder, result: Mapping[str, Any], unique_id: str) -> None:
    """Add the freshness of a source: ``source.project.source_name.table``."""
    status = read_text(result.get("status")).lower()
    criteria = read_mapping(result.get("criteria"))
    limits = {name: criteria[name] for name in ("warn_after", "error_after") if criteria.get(name)}
    table = unique_id.split(".")[-1]
    check = CheckResult("freshness", table, limits, f"dbt:{unique_id}")
    loaded_at = read_time(result.get("max_loaded_at"))
    age = f" since {loaded_at:%Y-%m-%d %H:%M} UTC" if loaded_at is not None else " in time"
    failure = Failure(
        check,
        guess_ghost_type("freshness"),
        severity="warning" if status == "warn" else "error",
        detail=f"{table} has not been loaded{age}.",
        metadata={"table": table},
    )
    message = read_text(result.get("error")) or read_text(result.get("message"))
    run.add_outcome(_FRESHNESS_OUTCOMES.get(status, "not_run"), check, failure, _error_reason(message))


def _describe_test(
    kind: str, name: str, node: Mapping[str, Any], result: Mapping[str, Any]
) -> tuple[str, str, str, dict[str, Any]]:
    """Return the name of a test, its table and column (empty if unknown), and its arguments."""
    metadata = read_mapping(node.get("test_metadata"))
    if node:
        arguments = dict(read_mapping(metadata.get("kwargs")))
        column = read_text(node.get("column_name")) or read_text(arguments.pop("column_name", ""))
        arguments.pop("model", None)
        arguments.pop("column_name", None)
        return (
            read_text(metadata.get("name")) or read_text(node.get("name")) or _without_hash(name),
            _tested_table(node, metadata),
            column,
            arguments,
        )
    if kind == "unit_test" and "." in name:
        table, _, name = name.rpartition(".")
        return name, table, "", {}
    name = _without_hash(name)
    test = next((each for each in _GENERIC_TESTS if name.startswith(f"{each}_")), "")
    sql = read_text(result.get("compiled_code")) or read_text(result.get("compiled_sql"))
    relation = _RELATION.search(sql)
    table = re.split(r"[.]", relation[1])[-1].strip('`"[]') if relation else ""
    if not test or not table or not name.startswith(f"{test}_{table}_"):
        return test or name, "", "", {}
    column = name.removeprefix(f"{test}_{table}_").split("__")[0]
    return test, table, column, {}


def _tested_table(node: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    """Return the table that a test checks; empty if unknown.

    Manifests before dbt 1.5 name it only in the argument ``model``, and so do later ones for sources. The
    first parent of a test of two tables can be either of them.
    """
    attached = read_text(node.get("attached_node"))
    relation = _TESTED_RELATION.search(read_text(read_mapping(metadata.get("kwargs")).get("model")))
    if not attached and relation:
        return relation[1]
    parents = read_list(read_mapping(node.get("depends_on")).get("nodes"))
    parts = (attached or (read_text(parents[0]) if parents else "")).split(".")
    # source.project.source_name.table, but model.project.name.v2 for versions.
    return parts[-1] if parts[0] == "source" else parts[2] if len(parts) > 2 else ""


def _without_hash(name: str) -> str:
    """Return the last part of a unique id without its hash: ``not_null_orders_id``."""
    return name.split(".")[0]


def _count_failures(result: Mapping[str, Any], message: str) -> int | None:
    count = read_count(result.get("failures"))
    if count is None and (number := re.search(r"\d+", message)):
        count = int(number[0][:15])
    return count


def _describe_values(test: str, column: str, count: int | None) -> str:
    """Return a sentence for tests whose failures are distinct values, not rows; else an empty text."""
    if column == WHOLE_ROW or not count:
        return ""
    values = "value" if count == 1 else "values"
    if test == "unique":
        return f"{column} has {count:,} {values} in more than one row."
    if test == "accepted_values":
        return f"{column} has {count:,} distinct {values} that {'is' if count == 1 else 'are'} not allowed."
    return ""


def _describe_unplaced(test: str, name: str, column: str, count: int | None) -> str:
    """Return a sentence for a test of an unknown table and column: its own name tells them; else empty."""
    own_name = _without_hash(name)
    if column != WHOLE_ROW or not own_name.startswith(f"{test}_"):
        return ""
    return describe_failure("rule", own_name, WHOLE_ROW, count, None, None)


def _error_reason(message: str) -> str:
    """Return the line of a message that names the error, after the place of the test."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    has_place = len(lines) > 1 and re.search(r" in (?:test|unit_test|model) ", lines[0]) is not None
    return lines[1] if has_place else next(iter(lines), "")


RUN_RESULTS = ImportFormat("dbt", "a run_results.json of dbt", _is_run_results, _read_run_results)
MANIFEST = ImportFormat(
    "dbt", "a manifest.json of dbt", _is_manifest, lambda file, descriptions: [], describes_other_files=True
)
