"""Values of the wrong type."""

from __future__ import annotations

import pandas as pd
import pytest

from lavendertown.detectors import Types
from lavendertown.inspector import Inspector
from lavendertown.models import GhostFinding


def fault(finding: GhostFinding) -> tuple[str, str]:
    return finding.metadata["fault"], finding.metadata["expected"]


@pytest.mark.parametrize(
    "texts",
    [["1", "2.5", "-3e5"], ["1,204", "7", "1,000,000.5"], ["12,5", "3,25", "1.204,75"], [" 1", "2 ", "+3"]],
)
def test_numbers_stored_as_text_are_found(detect, texts: list[str]) -> None:
    (finding,) = detect({"a": texts}, Types())
    assert fault(finding) == ("stored_as_text", "number")
    assert finding.row_indices == [0, 1, 2]


@pytest.mark.parametrize("name", ["ID", "order_id", "zip"])
def test_ids_stored_as_text_are_labels(detect, name: str) -> None:
    assert detect({name: ["1", "2", "13"]}, Types()) == []


@pytest.mark.parametrize(
    "text",
    ["2024-02-29", "2024-01-31T10:20:30Z", "31/12/2024", "12/31/2024", "1.2.2024", "2024/01/31", "5 Jan 2024",
     "January 5, 2024", "05-Mar-24"],
)  # fmt: skip
def test_dates_stored_as_text_are_found(detect, text: str) -> None:
    (finding,) = detect({"a": [text] * 4}, Types())
    assert fault(finding) == ("stored_as_text", "date")
    assert finding.severity == "info"


@pytest.mark.parametrize(
    ("usual", "stray", "expected"), [("12.5", "lots", "number"), ("2024-01-31", "2024-02-30", "date")]
)
def test_stray_text_is_found_at_its_rows(detect, usual: str, stray: str, expected: str) -> None:
    values = [usual] * 30
    values[4] = values[17] = stray
    (finding,) = detect({"a": values}, Types())
    assert fault(finding) == ("stray", expected)
    assert finding.row_indices == [4, 17]
    assert finding.metadata["samples"] == [stray]


def test_missing_values_are_no_stray_text(detect) -> None:
    (finding,) = detect({"a": ["1", None, "N/A", "2", "-", "3"]}, Types())
    assert fault(finding) == ("stored_as_text", "number")
    assert finding.row_indices == [0, 3, 5]


def test_missing_values_beside_stray_text_are_not_counted(detect) -> None:
    (finding,) = detect({"a": ["7"] * 20 + [None, "N/A", "lots"]}, Types())
    assert (finding.row_indices, finding.metadata["count"]) == ([22], 1)


@pytest.mark.parametrize(
    "texts",
    [
        ["00123", "10115", "20095"],
        ["4111111111111111", "4111111111111112", "4111111111111113"],
        ["+4930123456", "+4930123457", "+4930123458"],
        ["red", "blue", "7"],
        ["On 2024-01-31 we met", "1st May was fine", "2 of them came"],
        ["192.168.0.1", "10.0.0.1", "10.0.0.2"],
        ["1.2.3", "1.3.0", "2.0.1"],
        ["12A", "14", "7B", "9"],
    ],
)
def test_codes_and_free_text_are_left_alone(detect, texts: list[str]) -> None:
    assert detect({"a": texts}, Types()) == []


def test_mixed_cells_are_found_with_a_census() -> None:
    data = pd.DataFrame({"a": pd.Series([1, 2, "x", None, 4.5, True], dtype="object")})
    (finding,) = Inspector(data, detectors=[Types()]).detect()
    assert fault(finding) == ("mixed", "number")
    assert finding.row_indices == [2, 5]
    assert finding.metadata["kinds"] == {"number": 3, "text": 1, "yes/no": 1}


@pytest.mark.parametrize(
    ("cells", "fault_and_kind", "rows", "sentence"),
    [
        ([1, 2, "3"], ("stored_as_text", "number"), [2], "has numbers, but 1 of 3 rows (33.3%) has one"),
        ([1, "2", "3"], ("stored_as_text", "number"), [1, 2], "2 of 3 rows (66.7%) have them as text."),
        ([1] * 9 + ["2"] * 10 + ["x"], ("mixed", "number"), [*range(9, 20)], "values: 9 are numbers, but 11"),
        (["00123", "00456", 7], ("mixed", "text"), [2], "most are text, but 1 of 3 rows (33.3%) is not."),
        ([1, "x"], ("mixed", "number"), [1], "values: 1 are numbers, but 1 of 2 rows (50%) is not."),
    ],
)
def test_of_mixed_cells_only_the_wrong_ones_are_counted(
    cells: list[object], fault_and_kind: tuple[str, str], rows: list[int], sentence: str
) -> None:
    data = pd.DataFrame({"a": pd.Series(cells, dtype="object")})
    (finding,) = Inspector(data, detectors=[Types()]).detect()
    assert fault(finding) == fault_and_kind
    assert finding.row_indices == rows
    assert sentence in finding.description


def test_numbers_beside_a_written_out_null_are_not_mixed() -> None:
    data = pd.DataFrame({"a": pd.Series([1, 2, "N/A", 4], dtype="object")})
    assert Inspector(data, detectors=[Types()]).detect() == []


def test_text_is_no_fault_where_a_file_has_only_text() -> None:
    raw = b"age,zip\n1,00123\nNA,10115\n3,20095\n"
    assert Inspector((raw, "people.csv"), detectors=[Types()]).detect() == []
    (finding,) = Inspector((b"age\n1\n2\n3\nold\n", "people.csv"), detectors=[Types()]).detect()
    assert finding.row_indices == [3]
