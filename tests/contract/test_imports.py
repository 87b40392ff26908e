"""Imports of other tools' results: two runs, partial runs, twice the same, undo."""

from __future__ import annotations

import datetime as dt
import io
import json
from dataclasses import replace
from typing import Any

import pytest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.parts.imports import ImportPreview
from lavendertown.collaboration.storage import Storage
from lavendertown.errors import ConflictError
from lavendertown.interchange import ReadRun, read_runs
from tests.contract.builders import annotation, report

TOOLS = ("dbt", "great expectations", "soda")


def results(tool: str, hour: int, **outcomes: str) -> list[ReadRun]:
    """Return a run of not-null checks at an hour: a column with ``fail``, ``pass`` or ``error``."""
    at = f"2026-11-21T{hour:02}:00:00+00:00"
    content: dict[str, Any]
    if tool == "dbt":
        content = {
            "metadata": {"dbt_schema_version": "dbt/run-results/v6.json", "generated_at": at},
            "results": [
                {
                    "unique_id": f"test.shop.not_null_orders_{column}.a",
                    "status": outcome,
                    "failures": hour,
                    "message": f"Got {hour} results",
                }
                for column, outcome in outcomes.items()
            ],
        }
    elif tool == "soda":
        content = {
            "definitionName": "shop",
            "scanStartTimestamp": at,
            "checks": [
                {
                    "identity": f"id-{column}",
                    "name": f"missing_count({column}) = 0",
                    "definition": f"missing_count({column})",
                    "table": "shop",
                    "column": column,
                    "outcome": outcome,
                    "diagnostics": {"value": hour},
                }
                for column, outcome in outcomes.items()
            ],
        }
    else:
        content = {
            "success": False,
            "results": [
                {
                    "success": outcome == "pass",
                    "expectation_config": {
                        "type": "expect_column_values_to_not_be_null",
                        "kwargs": {"column": column, "batch_id": f"b{hour}"},
                    },
                    "result": {"element_count": 100, "unexpected_count": hour},
                    "exception_info": {"raised_exception": outcome == "error", "exception_message": "boom"},
                }
                for column, outcome in outcomes.items()
            ],
            "meta": {"run_id": {"run_time": at}, "active_batch_definition": {"data_asset_name": "shop"}},
        }
    return read_runs([(io.BytesIO(json.dumps(content).encode()), "results.json")])


def save(storage: Storage, *args: Any, **outcomes: str) -> ImportPreview:
    run = results(*args, **outcomes)
    preview = storage.imports.preview(run[0])
    (saved,) = storage.imports.save(run)
    assert saved == preview
    return saved


def changes(preview: ImportPreview) -> dict[str, int]:
    names = ("new", "regressed", "unchanged", "gone", "not_run")
    return {name: number for name in names if (number := getattr(preview, name))}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_second_run_tells_new_unchanged_and_gone(storage: Storage, tool: str) -> None:
    assert changes(save(storage, tool, 6, a="fail", b="fail", c="pass")) == {"new": 2}
    second = save(storage, tool, 8, a="fail", b="pass", c="fail")
    assert changes(second) == {"new": 1, "unchanged": 1, "gone": 1}
    assert (second.dataset, second.report_count, second.findings, second.passed) == ("shop", 1, 2, 1)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_finding_that_comes_back_has_regressed(storage: Storage, tool: str) -> None:
    save(storage, tool, 6, a="fail")
    assert changes(save(storage, tool, 7, a="pass")) == {"gone": 1}
    assert changes(save(storage, tool, 8, a="fail")) == {"regressed": 1}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_partial_or_empty_run_closes_nothing(storage: Storage, tool: str) -> None:
    save(storage, tool, 6, a="fail", b="fail")
    assert changes(save(storage, tool, 7, a="fail")) == {"unchanged": 1, "not_run": 1}
    assert changes(save(storage, tool, 8, a="fail", b="fail")) == {"unchanged": 2}
    empty = [replace(each, run=replace(each.run, dataset="shop")) for each in results(tool, 9)]
    assert changes(storage.imports.preview(empty[0])) == {"not_run": 2}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_crashed_check_closes_nothing(storage: Storage, tool: str) -> None:
    save(storage, tool, 6, a="fail")
    crashed = save(storage, tool, 7, a="error")
    assert (crashed.errored, crashed.findings) == (1, 1)
    assert changes(crashed) == {"new": 1, "not_run": 1}
    assert changes(save(storage, tool, 8, a="pass")) == {"gone": 2}


def test_a_claim_of_fixed_that_fails_has_regressed(storage: Storage) -> None:
    first = save(storage, "dbt", 6, a="fail")
    (row,) = storage.query_findings(first.report_id)
    fixed_at = dt.datetime(2026, 11, 21, 7, tzinfo=dt.UTC)
    storage.save_annotation(annotation(row["finding_id"], status="fixed", timestamp=fixed_at))
    assert changes(save(storage, "dbt", 8, a="fail")) == {"regressed": 1}


def test_an_older_file_is_compared_with_the_runs_before_it(storage: Storage) -> None:
    save(storage, "dbt", 8, a="fail", b="fail")
    assert changes(save(storage, "dbt", 6, a="fail", b="pass")) == {"new": 1}
    assert changes(save(storage, "dbt", 9, a="pass", b="fail")) == {"unchanged": 1, "gone": 1}


def test_the_same_file_twice_changes_nothing(storage: Storage) -> None:
    first = save(storage, "dbt", 6, a="fail")
    revision = storage.revision()
    again = save(storage, "dbt", 6, a="fail")
    assert (again.report_id, again.is_saved) == (first.report_id, True)
    assert (changes(again), storage.revision()) == ({"unchanged": 1}, revision)
    both = [*results("dbt", 7, a="pass"), *results("dbt", 7, a="pass")]
    assert len({each.report_id for each in storage.imports.save(both)}) == 1
    assert storage.count_reports() == 2


def test_deleting_the_report_undoes_an_import(storage: Storage) -> None:
    save(storage, "dbt", 6, a="fail", b="fail")
    before = (run_ids(storage), storage.query_findings(), storage.count_reports())
    second = save(storage, "dbt", 8, a="pass", c="fail")
    assert storage.delete_report(second.report_id)
    assert (run_ids(storage), storage.query_findings(), storage.count_reports()) == before
    assert changes(save(storage, "dbt", 8, a="pass", c="fail")) == changes(second)
    assert storage.count_reports() == 2


def run_ids(storage: Storage) -> set[str]:
    return {each.finding_id for each in storage.store.read_identities()}


def test_a_dbt_test_is_the_same_finding_with_and_without_a_manifest(storage: Storage) -> None:
    run = results("dbt", 6, a="fail")
    node = {"column_name": "a", "attached_node": "model.shop.orders", "test_metadata": {"name": "check_x"}}
    manifest = {
        "metadata": {"dbt_schema_version": "dbt/manifest/v12.json"},
        "nodes": {"test.shop.not_null_orders_a.a": node},
    }
    content = {
        "metadata": {"dbt_schema_version": "dbt/run-results/v6.json", "generated_at": "2026-11-21T07:00:00Z"},
        "results": [{"unique_id": "test.shop.not_null_orders_a.a", "status": "fail"}],
    }
    files = [(io.BytesIO(json.dumps(each).encode()), "x.json") for each in (manifest, content)]
    storage.imports.save(run)
    (preview,) = storage.imports.save(read_runs(files))
    assert changes(preview) == {"unchanged": 1}


def test_a_report_of_our_own_keeps_its_id_and_is_never_overwritten(storage: Storage) -> None:
    saved = report("r9", metadata={"dataset": "orders"}, annotations=[annotation()])
    (preview,) = storage.imports.save(read_own(saved))
    assert (preview.report_id, preview.new, preview.dataset) == ("r9", 1, "orders")
    (again,) = storage.imports.save(read_own(saved))
    assert (again.is_saved, storage.count_reports()) == (True, 1)
    saved.title = "Other"
    with pytest.raises(ConflictError, match="Another version of report 'r9'"):
        storage.imports.save(read_own(saved))


def read_own(saved: ShareableReport) -> list[ReadRun]:
    return read_runs([(io.BytesIO(json.dumps(saved.to_dict(), default=str).encode()), "report.json")])
