"""Any table of results, read by a mapping of its columns."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lavendertown.cli import cli
from lavendertown.collaboration.storage import FileStorage
from lavendertown.core import json_codec
from lavendertown.core.errors import InvalidInputError
from lavendertown.interchange import ImportFileError, ReadRun
from lavendertown.interchange.mapping import ResultMapping, read_mapped_runs, suggest_mapping
from lavendertown.tables import read_table

MAPPING = {
    "dataset": "Table",
    "column": "Field",
    "check": "Test name",
    "status": "Outcome",
    "severity": "Priority",
    "rows": "Failed rows",
    "value": "Measured",
    "time": "Run at",
}
RESULTS = """\
Table,Field,Test name,Outcome,Priority,Failed rows,Measured,Run at
orders,email,not null,FAILED,high,"1,204",0.12,2026-11-20T10:00:00Z
orders,price,in range,warn,,3,-5,2026-11-20 11:00
orders,,row count,Passed,low,0,,2026-11-20T10:00:00Z
orders,note,no html,skipped,,,,
parcels,weight,positive,error,,,,2026-11-21
"""


def read(text: str, mapping: dict[str, str] | None = None, name: str = "checks.csv") -> list[ReadRun]:
    table = read_table(text.encode(), name)
    return read_mapped_runs(
        table, ResultMapping(mapping or MAPPING), file_name=name, digest="0", dataset="shop"
    )


def test_each_role_is_read() -> None:
    orders, parcels = (each.run for each in read(RESULTS))
    assert (orders.dataset, parcels.dataset) == ("orders", "parcels")
    failed, warned = orders.findings
    assert (failed.column, failed.severity, failed.ghost_type) == ("email", "error", "null")
    assert (failed.metadata["check"], failed.metadata["count"]) == ("not null", 1204)
    assert failed.metadata["value"] == "0.12"
    assert (warned.severity, warned.metadata["count"]) == ("warning", 3)
    assert [(each.check, each.column) for each in orders.passed] == [("row count", "*")]
    assert [each.check for each in orders.not_run] == ["no html"]
    assert orders.ran_at == dt.datetime(2026, 11, 20, 11, tzinfo=dt.UTC)
    (crashed,) = parcels.findings
    assert (crashed.ghost_type, [each.check for each in parcels.errored]) == ("check_error", ["positive"])


def test_names_of_columns_suggest_their_roles() -> None:
    columns = RESULTS.partition("\n")[0].split(",")
    assert suggest_mapping(columns) == {each: MAPPING[each] for each in MAPPING if each != "value"}
    assert suggest_mapping(["testName", "tableName", "success", "observedValue"]) == {
        "dataset": "tableName",
        "check": "testName",
        "status": "success",
        "value": "observedValue",
    }
    assert suggest_mapping(["a", "b"]) == {}


def test_without_a_status_rows_decide() -> None:
    text = "check,failures\nnot null,3\nin range,0\n"
    (run,) = (each.run for each in read(text, {"check": "check", "rows": "failures"}))
    assert (run.dataset, len(run.findings), len(run.passed)) == ("shop", 1, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "check,state\nx,perhaps\n",
            "checks.csv, row 2: the status 'perhaps' is unknown; use passed, failed",
        ),
        ("check,state\nx,ok\n,ok\n", "checks.csv, row 3: neither the check nor the column is named."),
        ("check,result\nx,ok\n", "checks.csv has no column 'state'; its columns are check, result."),
        ("check,state\n,\n", "checks.csv contains no results of checks."),
    ],
)
def test_what_cannot_be_understood_is_named_with_its_row(text: str, message: str) -> None:
    with pytest.raises(ImportFileError) as caught:
        read(text, {"check": "check", "status": "state"})
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("role", "cell", "message"),
    [
        ("rows", "many", "'many' is not a number of rows"),
        ("rows", "-1", "'-1' is not a number of rows"),
        ("severity", "odd", "the severity 'odd' is unknown"),
        ("time", "soon", "'soon' is not a time"),
    ],
)
def test_odd_cells_are_named(role: str, cell: str, message: str) -> None:
    with pytest.raises(ImportFileError, match=f"row 2: {message}"):
        read(f"check,state,x\na,failed,{cell}\nb,failed,\n", {"check": "check", "status": "state", role: "x"})


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"chekc": "a", "status": "b"}, "A mapping has no entry 'chekc'"),
        ({"status": "b"}, "needs the column with the check"),
        ({"check": "b"}, "needs the column with the status"),
        ({"check": 3, "status": "b"}, "gives the name of a column"),
    ],
)
def test_mappings_that_cannot_work_are_refused(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        ResultMapping(columns)


def test_a_column_may_be_called_no(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "checks.csv").write_text("No,OK\nunique,true\n")
    (tmp_path / "map.yaml").write_text("check: No\nstatus: OK\n")
    answer = run("import", "checks.csv", "--mapping", "map.yaml", "--json")
    assert json.loads(answer.stdout)["passed"] == 1


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checks.csv").write_text(RESULTS)
    (tmp_path / "map.yaml").write_text("\n".join(f"{role}: {name}" for role, name in MAPPING.items()))
    return lambda *args: CliRunner().invoke(cli, [str(each) for each in args])


def test_a_mapping_is_given_once_and_remembered_by_the_columns(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    unknown = run("import", "checks.csv")
    assert (unknown.exit_code, "any table with a mapping" in unknown.stderr) == (2, True)
    tried = run("import", "checks.csv", "--mapping", "map.yaml", "--dry-run", "--json")
    assert json.loads(tried.stdout)["new"] == 3
    assert run("import", "checks.csv", "--mapping", "map.yaml").exit_code == 0
    later = RESULTS.replace("2026-11-2", "2026-11-3").replace("FAILED", "passed")
    (tmp_path / "december.csv").write_text(later.replace("11-30", "11-28").replace("11-31", "11-29"))
    answer = json.loads(run("import", "december.csv", "--json").stdout)
    assert (answer["new"], answer["gone"], answer["unchanged"]) == (0, 1, 2)
    storage = FileStorage(tmp_path / ".lavendertown")
    assert len(storage.query_reports()) == 4
    storage.close()


def test_a_mapping_is_remembered_whatever_the_order_of_the_columns(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    assert run("import", "checks.csv", "--mapping", "map.yaml").exit_code == 0
    lines = csv.reader(RESULTS.replace("1,204", "1204").splitlines())
    turned = [",".join(reversed(line)) for line in lines]
    (tmp_path / "turned.csv").write_text("\n".join(turned))
    answer = run("import", "turned.csv", "--dry-run", "--json")
    assert (answer.exit_code, json.loads(answer.stdout)["findings"]) == (0, 3)


def test_a_mapping_that_an_earlier_version_stored_is_still_found(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    columns = ["Test name", "Outcome"]
    digest = hashlib.sha256(json_codec.dumps_canonical(columns)).hexdigest()[:24]
    former = {"check": "Test name", "status": "Outcome"}
    storage.dataset_settings.save(f"columns:{digest}", "mapping", former, actor="Ana")
    assert storage.imports.load_mapping(columns) == former
    storage.imports.save_mapping(columns, {**former, "rows": "Outcome"}, actor="Ana")
    assert storage.imports.load_mapping(columns) == {**former, "rows": "Outcome"}
    storage.close()


def test_a_given_dataset_takes_the_place_of_those_in_the_table(run: Callable[..., Any]) -> None:
    asked = ("import", "checks.csv", "--mapping", "map.yaml", "--dataset", "shop", "--json")
    answer = json.loads(run(*asked).stdout)
    assert (answer["dataset"], answer["findings"], len(answer["reports"])) == ("shop", 3, 1)
    found = json.loads(run("findings", "list", "--json").stdout)
    assert {each["column"] for each in found} == {"orders.email", "orders.price", "parcels.weight"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("check: [", "is not valid YAML or JSON"),
        ("- a", "has no mapping"),
        ("check: a", "needs the column with the"),
    ],
)
def test_a_damaged_mapping_is_one_sentence(
    run: Callable[..., Any], tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "map.yaml").write_text(text)
    answer = run("import", "checks.csv", "--mapping", "map.yaml")
    assert (answer.exit_code, message in answer.stderr) == (2, True)
    assert "Traceback" not in answer.stderr
