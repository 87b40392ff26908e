"""What an inspection leaves for the dashboard: findings, affected rows, values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.file_limits import FileLimits
from lavendertown.inspection.result_files import FIRST_ROWS, InspectionResult, read_result, write_result
from lavendertown.inspection.tasks import inspect_file, write_rows
from lavendertown.inspector import Inspector
from lavendertown.profile.measure import to_plain_value

ROWS = [f"{i},{'' if i % 2 else i},{'N/A' if i % 3 else 'x'},2026-01-{i % 28 + 1:02d}" for i in range(600)]
CSV = "id,customer,note,day\n" + "\n".join(ROWS) + "\n"


@pytest.fixture
def result(tmp_path: Path) -> InspectionResult:
    source = tmp_path / "upload"
    source.write_text(CSV)
    folder = tmp_path / "result"
    folder.mkdir()
    arguments = {
        "path": str(source),
        "name": "orders.csv",
        "dataset": "orders",
        "folder": str(folder),
        "limits": vars(FileLimits()),
    }
    reported: list[dict[str, Any]] = []
    facts = inspect_file(arguments, reported.append)
    assert reported[0] == {"share": 0.0, "text": "Reading the file"}
    assert reported[-1]["share"] == 1.0
    return read_result(folder, source, facts)


@pytest.fixture
def inspector() -> Inspector:
    inspector = Inspector((CSV.encode(), "orders.csv"), dataset="orders")
    inspector.detect()
    return inspector


def test_the_findings_are_those_of_an_inspection_in_this_process(
    result: InspectionResult, inspector: Inspector
) -> None:
    assert result.complete_findings() == inspector.findings
    assert result.columns == inspector.table.columns
    assert (result.row_count, result.guesses) == (600, inspector.table.guesses)
    assert result.coverage["ran"] == inspector.coverage()["ran"]


def test_affected_rows_have_the_values_of_the_source(tmp_path: Path) -> None:
    """A value that is no number or date is what the finding is about."""
    lines = [f"{n},{n},{n % 28 + 1:02d}.05.2024" for n in range(1000, 1060)]
    text = "\n".join(["id,amount,day", *lines, "1060,some,03.05.2024", "1061,7,soon"])
    table = Inspector((text.encode(), "orders.csv"))
    findings = table.detect()
    write_result(tmp_path, table.table, findings, table.evidence())
    facts = dict.fromkeys(("name", "dataset", "guesses", "column_kinds", "sheets", "reading"))
    facts |= {"given": {}, "coverage": {}, "row_count": 62, "columns": table.table.columns}
    result = read_result(tmp_path, tmp_path, facts)
    wrong = {each.column: each.row_indices or [] for each in findings if each.ghost_type == "type"}
    assert {column: list(result.rows(rows)[column]) for column, rows in wrong.items()} == {
        "amount": ["some"],
        "day": ["soon"],
    }


@pytest.mark.parametrize("key", [["day"], ["note", "customer"], ["id"]])
def test_a_key_that_is_chosen_later_names_the_same_rows(result: InspectionResult, key: list[str]) -> None:
    inspector = Inspector((CSV.encode(), "orders.csv"), dataset="orders", key=key)
    inspector.detect()
    assert result.evidence_with_key(key) == inspector.evidence()


def test_without_a_key_sample_rows_have_the_affected_values_only(result: InspectionResult) -> None:
    samples = result.evidence_with_key([]).samples.values()
    shown = [(each.column, set(row.values)) for each in samples for row in each.rows]
    assert all(names == {column} for column, names in shown if column)


def test_only_the_first_row_positions_stay_in_memory(result: InspectionResult) -> None:
    assert max(len(finding.row_indices or []) for finding in result.findings) == FIRST_ROWS


def test_affected_rows_are_shown_as_the_table_has_them(
    result: InspectionResult, inspector: Inspector
) -> None:
    for finding in result.findings:
        positions = finding.row_indices or []
        shown, expected = result.rows(positions), inspector.table.rows(positions)
        assert list(shown.columns) == list(expected.columns)
        assert list(shown.index) == list(expected.index)
        for name in shown.columns:
            assert list(map(to_plain_value, shown[name])) == list(map(to_plain_value, expected[name]))


def test_the_most_frequent_values_are_counted(result: InspectionResult) -> None:
    place = next(i for i, finding in enumerate(result.findings) if finding.ghost_type == "disguised_null")
    (value,) = result.evidence.samples[str(place)].frequent
    assert (value.value, value.count) == ("N/A", 400)


def test_rows_that_were_not_kept_are_left_out(result: InspectionResult) -> None:
    assert list(result.rows([1, 599, 600]).index) == [1]


def test_all_affected_rows_of_a_finding_are_written_as_csv(
    result: InspectionResult, inspector: Inspector
) -> None:
    place = next(i for i, finding in enumerate(result.findings) if finding.ghost_type == "disguised_null")
    arguments = {"path": str(result.source), "name": result.name, "folder": str(result.folder)}
    options = {"place": place, "key": ["id"], "format": "csv", "limits": vars(FileLimits())}
    file = write_rows({**arguments, **options}, print)
    written = pd.read_csv(file, index_col="row", encoding="utf-8-sig", keep_default_na=False)
    first_row = 2  # Lines of the file, the header being the first.
    assert list(written.index) == [first_row + row for row in inspector.detect()[place].row_indices or ()]
    assert set(written["note"]) == {"N/A"}
    assert list(written.columns)[:3] == ["finding", "id", "note"]
    assert set(written["finding"]) == {result.findings[place].description}


def test_a_spreadsheet_runs_nothing_of_the_affected_rows(tmp_path: Path) -> None:
    source = tmp_path / "upload"
    source.write_text("=id,note\n" + "".join(f"{i},=HYPERLINK({i % 2})\n" for i in range(50)) + ",-1x\n")
    limits = vars(FileLimits())
    arguments = {"path": str(source), "name": "t.csv", "folder": str(tmp_path), "limits": limits}
    facts = inspect_file({**arguments, "dataset": "t"}, lambda _: None)
    findings = read_result(tmp_path, source, facts).findings
    place = next(i for i, finding in enumerate(findings) if finding.row_indices == [50])
    options = {"place": place, "key": [], "format": "csv"}
    header, line = Path(write_rows({**arguments, **options}, print)).read_text("utf-8-sig").splitlines()
    assert (header, line.split(",", 1)[1]) == ("finding,row,'=id,note", "52,,'-1x")


def test_a_file_is_read_as_set_for_its_findings_and_its_affected_rows(tmp_path: Path) -> None:
    source = tmp_path / "upload"
    source.write_text("Sales\nid;note\n" + "".join(f"{i};{i % 2 or ''}\n" for i in range(50)))
    reading = {"delimiter": "|", "header_row": 1, "types": {"Sales": "text"}}
    arguments = {"path": str(source), "name": "t.csv", "folder": str(tmp_path), "limits": vars(FileLimits())}
    facts = inspect_file({**arguments, "dataset": "t", "reading": reading}, lambda _: None)
    result = read_result(tmp_path, source, facts)
    assert (result.columns, result.column_kinds, result.row_count) == (["Sales"], ["text"], 51)
    assert result.given == reading
    assert result.reading == {**reading, "encoding": "utf-8", "header_rows": 1, "skip_lines": 0}

    reading = {"delimiter": ";", "header_row": 2}
    facts = inspect_file({**arguments, "dataset": "t", "reading": reading}, lambda _: None)
    findings = read_result(tmp_path, source, facts).findings
    place = next(i for i, finding in enumerate(findings) if finding.ghost_type == "null")
    options = {"place": place, "key": ["id"], "format": "csv", "reading": reading}
    header, line, *_ = Path(write_rows({**arguments, **options}, print)).read_text("utf-8-sig").splitlines()
    assert (header, line.split(",", 1)[1]) == ("finding,row,id,note", "3,0,")


def test_an_impossible_setting_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "upload"
    source.write_text(CSV)
    arguments = {"path": str(source), "name": "t.csv", "folder": str(tmp_path), "limits": vars(FileLimits())}
    with pytest.raises(InvalidInputError, match="not a delimiter"):
        inspect_file({**arguments, "dataset": "t", "reading": {"delimiter": ""}}, lambda _: None)
