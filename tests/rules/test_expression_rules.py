"""Rules in SQL: what they find, and what they refuse."""

from __future__ import annotations

import datetime as dt
import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from lavendertown.errors import InvalidInputError
from lavendertown.rules.expression_rules import parse_expression
from lavendertown.rules.models import Rule
from tests.rules.conftest import make_rule

INSTALLED = all(importlib.util.find_spec(name) for name in ("duckdb", "sqlglot"))
needs_duckdb = pytest.mark.skipif(not INSTALLED, reason="duckdb or sqlglot is not installed")

COLUMNS: dict[str, list[Any]] = {
    "amount": [1, -2, None, 40],
    "state": ["new", "paid", "new", None],
    "unit price": [1.0, 2.0, 3.0, 4.0],
    "day": [dt.date(2026, 11, 1), dt.date(2026, 11, 2), None, dt.date(2025, 1, 1)],
}


@needs_duckdb
@pytest.mark.parametrize(
    ("expression", "rows"),
    [
        ("amount > 0", [1]),
        ("amount BETWEEN 0 AND 10 OR state IS NULL", [1]),
        ("amount > 0 AND state <> 'new'", [0, 1, 2]),
        ("CASE WHEN state = 'new' THEN amount > 0 ELSE true END", []),
        ('"unit price" * 2 < 7', [3]),
        ("lower(trim(state)) IN ('new', 'open')", [1]),
        ("coalesce(amount, 0) <> 0", [2]),
        ("year(day) = 2026 AND day >= DATE '2026-11-02'", [0, 3]),
        ("day < current_date + INTERVAL 10000 DAY", []),
        ("regexp_matches(state, '^[a-z]+$')", []),
        ("amount::DOUBLE / 2 >= 0 -- a comment", [1]),
        ("NOT state LIKE 'p%'", [1]),
    ],
)
def test_rows_for_which_a_condition_is_false_fail(run_rules, expression: str, rows: list[int]) -> None:
    findings = run_rules(COLUMNS, make_rule("expression", expression=expression))
    assert [finding.ghost_type for finding in findings] == ["rule"] * bool(rows)
    assert [row for finding in findings for row in finding.row_indices] == rows


@needs_duckdb
def test_a_finding_is_on_the_only_column_or_that_of_the_rule_or_whole_rows(run_rules) -> None:
    (one,) = run_rules(COLUMNS, make_rule("expression", expression="amount > 0"))
    assert (one.column, one.description) == (
        "amount",
        "expression: amount > 0 is not true in 1 of 4 rows (25%).",
    )
    both = "amount > 0 AND state <> 'x'"
    (whole,) = run_rules(COLUMNS, make_rule("expression", expression=both))
    assert (whole.column, whole.metadata["columns"]) == ("*", ["amount", "state"])
    (chosen,) = run_rules(COLUMNS, Rule("r", "", "expression", "state", {"expression": both}))
    assert (chosen.column, chosen.metadata["columns"]) == ("state", ["state", "amount"])


@needs_duckdb
@pytest.mark.parametrize(
    "expression",
    [
        "amount > 0; DROP TABLE data",
        "SELECT 1",
        "amount = (SELECT 1)",
        "amount IN (SELECT 1)",
        "EXISTS (SELECT 1)",
        "read_csv('/etc/passwd') IS NOT NULL",
        "read_text('/etc/passwd') IS NOT NULL",
        "amount IN (FROM read_text('/etc/passwd'))",
        "getenv('HOME') = amount",
        "count(*) > 1",
        "sum(amount) OVER () > 1",
        "repeat(state, 1000000000) = ''",
        "query('SELECT 1') = amount",
        "COPY data TO 'x'",
        "ATTACH 'x'",
        "INSTALL httpfs",
        "PRAGMA database_list",
        "SET threads = 1",
        "* > 1",
        "COLUMNS('a') > 1",
        "$1 = amount",
        "amount > 1 AS x",
        "[amount] = [1]",
        "list_transform([1], x -> x) = amount",
        "data.amount > 1",
        "information_schema.tables.table_name = state",
        "1 = 1",
        """CAST(amount AS "foo) OR (1") > 1""",
        "extract('day FROM day) > 1 OR (1' FROM day) > 1",
        "",
        "amount >",
        "amount = '" + "x" * 10_000 + "'",
        "(" * 3_000 + "amount > 1" + ")" * 3_000,
    ],
)
def test_everything_but_one_condition_on_a_row_is_refused(run_rules, expression: str) -> None:
    (finding,) = run_rules(COLUMNS, make_rule("expression", expression=expression))
    assert finding.ghost_type == "check_error"
    assert any(word in finding.description for word in ("its expression", "the parameter expression"))


@needs_duckdb
@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("state || 'x'", "its expression is a value of type VARCHAR, not a condition"),
        ("price > 1", "there is no column 'price'"),
        (
            "CAST(state AS INTEGER) > 1",
            "its expression failed: Conversion Error: Could not convert string 'new'",
        ),
        ("read_csv('x') = 1", "its expression uses ReadCSV, which is not allowed"),
        ("getenv('x') = state", "its expression uses getenv, which is not allowed"),
        ("amount > ) 1", "its expression is not valid SQL: "),
    ],
)
def test_an_expression_that_cannot_run_says_why(run_rules, expression: str, reason: str) -> None:
    (finding,) = run_rules(COLUMNS, make_rule("expression", expression=expression))
    assert reason in finding.description


@needs_duckdb
@pytest.mark.parametrize(
    "expression",
    ["date_diff('day) OR (1', day, day) > 1", "date_trunc('day'', day); SELECT 1 --', day) = day"],
)
def test_parts_that_are_written_without_quotes_must_be_words(expression: str) -> None:
    with pytest.raises(InvalidInputError, match=r"its expression has a part that is not allowed: .DAY"):
        parse_expression(expression)


@needs_duckdb
def test_a_column_is_a_column_whatever_its_name(run_rules) -> None:
    columns = {'a"; DROP TABLE data; --': [1, 2], "row": [1, 2]}
    quoted = '"a""; DROP TABLE data; --" < 2 AND "row" < 3'
    (finding,) = run_rules(columns, make_rule("expression", expression=quoted))
    assert finding.row_indices == [1]


@needs_duckdb
def test_the_database_reads_no_files_even_if_the_list_had_a_hole(tmp_path: Path) -> None:
    import duckdb

    from lavendertown.rules.expression_rules import _CONFIG

    (tmp_path / "secret.csv").write_text("a\n1\n")
    with duckdb.connect(":memory:", config=_CONFIG) as connection:
        for statement in (
            f"SELECT * FROM read_csv('{tmp_path / 'secret.csv'}')",
            f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'",
            f"ATTACH '{tmp_path / 'other.db'}'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SET enable_external_access = true",
            "SET threads = 1",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(statement)
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


def test_a_missing_library_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlglot", None)
    with pytest.raises(InvalidInputError, match=r"expressions need sqlglot; install it with: pip install"):
        parse_expression("a > 1")
