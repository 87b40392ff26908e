from __future__ import annotations

import csv
import datetime as dt
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import load_workbook  # type: ignore[import-untyped]

from lavendertown.cli import options, sources
from lavendertown.collaboration.models import ShareableReport
from lavendertown.inspector import Inspector
from lavendertown.rules.check_configuration import CheckConfiguration
from lavendertown.rules.models import Rule, RuleSet
from tests.cli.conftest import ORDERS, Run

Answer = Callable[..., Any]


def test_analyze_prints_what_it_found(run: Run) -> None:
    result = run("analyze", "orders.csv")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "amount is empty in 1 of 4 rows (25%)." in result.stdout
    assert "2 findings in orders.csv: 4 rows, 3 columns, " in result.stdout


def test_json_answer_is_the_inspectors(answer: Answer, folder: Path) -> None:
    found = answer("analyze", "orders.csv")
    expected = [finding.to_dict() for finding in Inspector(folder / "orders.csv").detect()]
    assert [{k: v for k, v in f.items() if k != "finding_id"} for f in found["findings"]] == expected
    assert [f["finding_id"][:3] for f in found["findings"]] == ["f1-", "f1-"]
    assert (found["dataset"], found["report_id"], found["failed"]) == ("orders", None, False)


def test_format_json_is_the_same_as_json(run: Run, answer: Answer) -> None:
    shown = json.loads(run("analyze", "orders.csv", "--format", "json").stdout)
    assert shown["findings"] == answer("analyze", "orders.csv")["findings"]


def test_finding_at_or_above_fail_on_exits_with_1(run: Run) -> None:
    assert run("analyze", "orders.csv", "--fail-on", "info").exit_code == 1
    assert run("analyze", "orders.csv", "--fail-on", "warning").exit_code == 1


def test_finding_below_fail_on_exits_with_0(run: Run) -> None:
    assert run("analyze", "orders.csv", "--fail-on", "error").exit_code == 0


def test_an_empty_delivery_fails_the_gate(run: Run, folder: Path) -> None:
    (folder / "orders_empty.csv").write_text("id,amount\n", "utf-8")
    result = run("analyze", "orders_empty.csv", "--fail-on", "error")
    assert result.exit_code == 1
    assert "The table has no rows." in result.stdout


def test_failed_gate_still_prints_json(run: Run) -> None:
    result = run("analyze", "orders.csv", "--fail-on", "info", "--json")
    assert (result.exit_code, json.loads(result.stdout)["failed"]) == (1, True)


def test_dash_reads_csv_from_standard_input(answer: Answer) -> None:
    found = answer("analyze", "-", "--format-in", "csv", "--dataset", "orders", text=ORDERS)
    assert len(found["findings"]) == 2
    assert found["findings"] == answer("analyze", "orders.csv")["findings"]


def test_dash_reads_json_from_standard_input(answer: Answer) -> None:
    rows = json.dumps([{"a": 1, "b": None}, {"a": 2, "b": "x"}])
    found = answer("analyze", "-", "--format-in", "json", text=rows)
    assert [f["column"] for f in found["findings"]] == ["b"]


def test_format_in_reads_a_file_of_another_name(answer: Answer, folder: Path) -> None:
    (folder / "orders.data").write_text(ORDERS, "utf-8")
    found = answer("analyze", "orders.data", "--format-in", "csv")
    assert (found["dataset"], len(found["findings"])) == ("orders", 2)


def test_a_member_of_a_zip_archive_is_chosen_by_name(run: Run, answer: Answer, folder: Path) -> None:
    with zipfile.ZipFile(folder / "delivery.zip", "w") as archive:
        archive.writestr("may/orders.csv", ORDERS)
        archive.writestr("may/items.csv", "item\nbolt\n")
    found = answer("analyze", "delivery.zip::may/orders.csv")
    assert (found["file"], found["dataset"]) == ("delivery.zip::may/orders.csv", "orders")
    assert found["findings"] == answer("analyze", "orders.csv")["findings"]
    assert "name it as delivery.zip::may/orders.csv" in run("analyze", "delivery.zip").stderr
    assert "is not complete; write file.zip::member" in run("analyze", "delivery.zip::").stderr


def test_a_file_with_the_part_sign_in_its_name_is_read(answer: Answer, folder: Path) -> None:
    (folder / "shop::orders.csv").write_text(ORDERS, "utf-8")
    assert len(answer("analyze", "shop::orders.csv")["findings"]) == 2


@pytest.mark.parametrize(
    "arguments", [["parts"], ["parts/*.csv"], ["parts/orders-1.csv", "parts/orders-2.csv"]]
)
def test_part_files_are_one_table(answer: Answer, folder: Path, arguments: list[str]) -> None:
    header, *rows = ORDERS.splitlines()
    (folder / "parts").mkdir()
    for i, part in enumerate((rows[:2], rows[2:]), 1):
        (folder / "parts" / f"orders-{i}.csv").write_text("\n".join([header, *part]) + "\n", "utf-8")
    (folder / "parts" / "_SUCCESS").touch()
    found = answer("analyze", *arguments, "--dataset", "orders")
    assert found["findings"] == answer("analyze", "orders.csv")["findings"]
    assert "orders-1.csv (rows 0–1), orders-2.csv (rows 2–3)" in found["coverage"]["guesses"][0]


def test_the_dataset_of_a_folder_is_its_name(answer: Answer, folder: Path) -> None:
    (folder / "sales_2026-05").mkdir()
    (folder / "sales_2026-05" / "part-0001.csv").write_text(ORDERS, "utf-8")
    assert answer("analyze", "sales_2026-05")["dataset"] == "sales"
    assert answer("analyze", "sales_2026-05/*")["dataset"] == "sales"


def test_part_files_with_other_columns_are_refused(run: Run, folder: Path) -> None:
    (folder / "orders2.csv").write_text("id,amount\n1,2\n", "utf-8")
    result = run("analyze", "orders.csv", "orders2.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "orders2.csv has no column country, which orders.csv has" in result.stderr


def test_format_in_does_not_go_with_several_files(run: Run) -> None:
    result = run("analyze", "*.csv", "--format-in", "csv")
    assert (result.exit_code, "--format-in is for a single file" in result.stderr) == (2, True)


def test_standard_input_is_recognized_by_its_content(answer: Answer, folder: Path) -> None:
    out = io.BytesIO()
    pl.DataFrame({"a": [1, None]}).write_parquet(out)
    lines = b'{"a": 1}\n{"a": null}\n'
    for content in (out.getvalue(), b'[{"a": 1}, {"a": null}]', lines, b"a,b\n1,2\n,3\n"):
        found = answer("analyze", "-", text=content)["findings"]
        assert ("null", "a") in [(finding["ghost_type"], finding["column"]) for finding in found]


@pytest.mark.parametrize(
    "arguments",
    [
        ["shop.db"],
        ["shop.db::orders"],
        ["shop.db", "--table", "orders"],
        ["sqlite:///shop.db", "--table", "orders"],
        ["shop.db", "--query", "SELECT * FROM orders", "--dataset", "orders"],
    ],
)
def test_a_table_of_a_database_is_checked(answer: Answer, shop: Path, arguments: list[str]) -> None:
    found = answer("analyze", *arguments)
    assert found["dataset"] == "orders"
    assert [each["finding_id"] for each in found["findings"]] == [
        each["finding_id"] for each in answer("analyze", "orders.csv")["findings"]
    ]


def test_several_tables_of_a_database_are_listed(run: Run, shop: Path) -> None:
    with closing(sqlite3.connect(shop)) as connection:
        connection.execute("CREATE TABLE items (a)")
    assert (
        "shop.db has 2 tables (items, orders); name one: shop.db::items." in run("analyze", "shop.db").stderr
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shop.db", "--table", "orders", "--query", "SELECT 1"], "--table and --query exclude each other"),
        (["shop.db::orders", "--table", "orders"], "names a table already"),
        (
            ["orders.csv", "--table", "orders"],
            "--table and --query are for databases, and orders.csv is a file",
        ),
        (["-", "--table", "orders"], "--table and --query are for a single database"),
        (["shop.db", "--format-in", "csv"], "--format-in is for files, not for databases"),
        (["shop.db", "--query", "SELECT 1", "--save", "--author", "Ana"], "Name the dataset with --dataset"),
        (["gone.db", "--table", "orders"], "There is no file gone.db"),
        (["orders.csv", "sqlite:///shop.db"], "Standard input and a URL cannot be joined"),
        (["orders.csv", "-"], "Standard input and a URL cannot be joined"),
        (["x" * 5_000 + ".csv"], "cannot be read: File name too long"),
        (["x" * 5_000 + ".zip::may.csv"], "cannot be read: File name too long"),
        (["x" * 5_000 + "*.csv"], "No file matches"),
        (["ftp://host/orders.csv"], "SQLAlchemy does not know databases of the kind ftp://"),
        (["https://host/orders.csv", "--table", "orders"], "--table and --query cannot be used for a file"),
        (["https://host/orders", "--format-in", "csv"], "--format-in cannot be used for a file at a URL"),
        (["duckdb:///gone.duckdb"], "gone.duckdb"),
    ],
)
def test_an_option_that_does_not_go_with_the_source_is_refused(
    run: Run, shop: Path, arguments: list[str], message: str
) -> None:
    result = run("analyze", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ana:s3c:r@t@host/shop?password=x", "postgresql://ana:***@host/shop"),
        ("postgresql://ana:sec?ret@host/shop", "postgresql://…"),
        ("postgresql://host:5432/shop?password=p@q", "postgresql://…"),
        ("postgresql://host/shop", "postgresql://host/shop"),
        ("https://ana:s3crt@host/o.csv?sig=x", "https://host/o.csv"),
        ("orders.csv", "orders.csv"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert sources.describe_sources([url]) == shown


def test_missing_file_exits_with_2(run: Run) -> None:
    result = run("analyze", "missing.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: There is no file missing.csv; check the path.\n"


def test_unreadable_file_exits_with_2(run: Run, folder: Path) -> None:
    (folder / "empty.csv").write_bytes(b"")
    result = run("analyze", "empty.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: empty.csv is empty (0 bytes).\n"


def test_save_keeps_a_report(run: Run, saved: dict[str, Any], answer: Answer) -> None:
    assert saved["report_id"]
    listed = answer("report", "list")
    assert [(r["id"], r["title"], r["author"], r["dataset"]) for r in listed] == [
        (saved["report_id"], "Orders", "Ana", "orders")
    ]


def test_saved_findings_have_the_printed_ids(saved: dict[str, Any], answer: Answer) -> None:
    listed = answer("findings", "list", "--report", saved["report_id"])
    assert [f["finding_id"] for f in listed] == [f["finding_id"] for f in saved["findings"]]


def test_save_says_how_to_show_it(run: Run) -> None:
    result = run("analyze", "orders.csv", "--save", "--author", "Ana")
    assert "Saved. To show the report, run: lavendertown report show r-" in result.stdout


def test_save_needs_an_author(run: Run) -> None:
    result = run("analyze", "orders.csv", "--save")
    assert result.exit_code == 2
    assert "--author NAME" in result.stderr


def test_saving_standard_input_needs_a_dataset(run: Run) -> None:
    result = run("analyze", "-", "--save", "--author", "Ana", text=ORDERS)
    assert result.exit_code == 2
    assert "--dataset" in result.stderr


def test_title_without_save_is_refused(run: Run) -> None:
    result = run("analyze", "orders.csv", "--title", "Orders")
    assert result.exit_code == 2
    assert "require --save" in result.stderr


SHIPMENTS = "parcel,weight,carrier,sent\n1,2,a,\n2,3,b,\n"


def test_saving_a_dataset_of_other_columns_asks_for_dataset(run: Run, folder: Path, answer: Answer) -> None:
    run("analyze", "orders.csv", "--save", "--author", "Ana")
    (folder / "orders.csv").write_text(SHIPMENTS, "utf-8")
    result = run("analyze", "orders.csv", "--save", "--author", "Ana")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "dataset 'orders' has other columns" in result.stderr
    assert "--dataset orders" in result.stderr
    assert len(answer("report", "list")) == 1


def test_an_explicit_dataset_confirms_other_columns(run: Run, folder: Path, answer: Answer) -> None:
    run("analyze", "orders.csv", "--save", "--author", "Ana")
    (folder / "orders.csv").write_text(SHIPMENTS, "utf-8")
    assert run("analyze", "orders.csv", "--save", "--dataset", "orders", "--author", "Ana").exit_code == 0
    assert [r["dataset"] for r in answer("report", "list")] == ["orders", "orders"]


def test_a_changed_column_asks_for_dataset(run: Run, folder: Path) -> None:
    run("analyze", "orders.csv", "--save", "--author", "Ana")
    (folder / "orders.csv").write_text(ORDERS.replace("amount", "total"), "utf-8")
    result = run("analyze", "orders.csv", "--save", "--author", "Ana")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "other columns (1 column missing (amount), 1 column new (total))" in result.stderr
    assert "--dataset orders" in result.stderr


def test_two_tables_of_a_schema_are_two_datasets(run: Run, folder: Path, answer: Answer) -> None:
    for table in ("public.orders", "public.customers"):
        (folder / f"{table}.csv").write_text(ORDERS, "utf-8")
        run("analyze", f"{table}.csv", "--save", "--author", "Ana")
    assert {r["dataset"] for r in answer("report", "list")} == {"public.orders", "public.customers"}


def test_the_former_dataset_goes_on_with_the_ids_it_had(run: Run, folder: Path, answer: Answer) -> None:
    run("analyze", "orders.csv", "--save", "--dataset", "orders_w", "--author", "Ana")
    (folder / "orders_w48.csv").write_text(ORDERS, "utf-8")
    saved = answer("analyze", "orders_w48.csv", "--save", "--author", "Ana")
    assert saved["dataset"] == "orders_w"
    assert {f["times_seen"] for f in answer("findings", "list", "--report", saved["report_id"])} == {2}


def test_a_former_dataset_with_similar_columns_is_only_offered(run: Run, folder: Path) -> None:
    run("analyze", "orders.csv", "--save", "--dataset", "public", "--author", "Ana")
    header, *rows = ORDERS.splitlines()
    lines = [f"{header},till", *(f"{row},1" for row in rows)]
    (folder / "public.customers.csv").write_text("\n".join(lines), "utf-8")
    result = run("analyze", "public.customers.csv", "--save", "--author", "Ana", "--json")
    assert json.loads(result.stdout)["dataset"] == "public.customers"
    assert "lavendertown findings adopt public public.customers" in result.stderr


def test_one_adoption_continues_later_findings_too(run: Run, folder: Path, answer: Answer) -> None:
    run("analyze", "orders.csv", "--save", "--dataset", "public", "--author", "Ana")
    (old,) = (f for f in answer("findings", "list") if f["column"] == "amount")
    run("annotate", old["finding_id"], "--comment", "Ask the shop", "--author", "Ana")
    table = folder / "public.orders.csv"
    first, *rows = ORDERS.splitlines(keepends=True)
    table.write_text(first + rows[0], "utf-8")
    run("analyze", table.name, "--save", "--dataset", "public.orders", "--author", "Ana")
    adopted = run("findings", "adopt", "public", "public.orders", "--author", "Ana")
    assert (adopted.exit_code, adopted.stdout) == (0, "public.orders continues 2 findings of public.\n")
    table.write_text(ORDERS, "utf-8")
    saved = answer("analyze", table.name, "--save", "--author", "Ana")
    found = {f["column"]: f for f in answer("findings", "list", "--report", saved["report_id"])}
    assert (found["amount"]["times_seen"], found["amount"]["comment_count"]) == (2, 1)


def test_a_dataset_of_several_tables_has_to_be_confirmed_once(run: Run, folder: Path) -> None:
    for day, columns in enumerate((["id", "amount"], ["parcel", "weight"], ["id", "amount"])):
        # As earlier versions saved them: with the columns of the checks, but not of the table.
        ran = [{"check": "nulls", "column": name, "params": {}, "outcome": "passed"} for name in columns]
        metadata = {"dataset": "orders", "coverage": {"columns": 2, "ran": ran}}
        created_at = dt.datetime(2026, 11, day + 1, tzinfo=dt.UTC)
        with options.open_storage() as storage:
            storage.save_report(ShareableReport(f"r{day}", "Orders", "Ana", created_at, metadata=metadata))
    (folder / "orders.csv").write_text("id,amount\n1,2\n2,3\n", "utf-8")
    refused = run("analyze", "orders.csv", "--save", "--author", "Ana")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "dataset 'orders' has reports of several tables. Confirm with --dataset orders" in refused.stderr
    assert run("analyze", "orders.csv", "--save", "--dataset", "orders", "--author", "Ana").exit_code == 0
    assert run("analyze", "orders.csv", "--save", "--author", "Ana").exit_code == 0


def test_the_history_of_a_former_dataset_can_be_adopted(run: Run, folder: Path, answer: Answer) -> None:
    run("analyze", "orders.csv", "--save", "--dataset", "public", "--author", "Ana")
    (folder / "ships.csv").write_text(SHIPMENTS, "utf-8")
    run("analyze", "ships.csv", "--save", "--dataset", "public", "--author", "Ana")
    (folder / "public.orders.csv").write_text(ORDERS, "utf-8")
    result = run("analyze", "public.orders.csv", "--save", "--author", "Ana")
    assert "lavendertown findings adopt public public.orders" in result.stderr
    assert run("findings", "adopt", "public", "public.orders", "--author", "Ana").exit_code == 0
    assert {f["times_seen"] for f in answer("findings", "list", "--dataset", "public.orders")} == {2}


def test_a_former_dataset_that_other_tables_may_share_is_confirmed_once(run: Run, folder: Path) -> None:
    (folder / "public.orders.csv").write_text(ORDERS, "utf-8")
    run("analyze", "orders.csv", "--save", "--dataset", "public", "--author", "Ana")
    refused = run("analyze", "public.orders.csv", "--save", "--author", "Ana")
    assert refused.exit_code == 2
    assert "'public' may have reports of other tables with the same columns" in refused.stderr
    assert "--dataset public" in refused.stderr
    run("analyze", "public.orders.csv", "--save", "--dataset", "public", "--author", "Ana")
    again = run("analyze", "public.orders.csv", "--save", "--author", "Ana", "--json")
    assert json.loads(again.stdout)["dataset"] == "public"


SALES = "Sales of May\nid;amount\n1;2,5\n2;3,5\n"


def test_options_of_a_saved_analysis_are_used_for_the_next_file_of_the_dataset(
    run: Run, folder: Path
) -> None:
    (folder / "may.csv").write_text(SALES, "utf-8")
    save = ("analyze", "may.csv", "--dataset", "sales", "--save", "--author", "Ana")
    assert run(*save, "--header-row", "2", "--delimiter", ";").exit_code == 0

    later = run("analyze", "may.csv", "--dataset", "sales")
    assert later.stderr == "Read as last time: header row 2, delimiter ';'.\n"
    assert "2 rows, 2 columns" in later.stdout
    found = json.loads(run("analyze", "may.csv", "--dataset", "sales", "--json").stdout)
    assert found["coverage"]["columns"] == 2

    other = run("analyze", "may.csv", "--dataset", "sales", "--header-row", "1", "--delimiter", "|")
    assert (other.stderr, "3 rows, 1 column" in other.stdout) == ("", True)
    for args in (("analyze", "may.csv"), ("analyze", "may.csv", "--dataset", "customers")):
        assert run(*args).stderr == ""

    assert run(*save).exit_code == 0, "an analysis without options leaves them as they are"
    with options.open_storage() as storage:
        assert storage.dataset_settings.load("sales", "reading") == {"delimiter": ";", "header_row": 2}
        (event,) = storage.audit_log(component="dataset_settings")
        assert event["actor"] == "Ana"


def test_options_of_an_analysis_that_is_not_saved_are_not_stored(run: Run, folder: Path) -> None:
    (folder / "may.csv").write_text(SALES, "utf-8")
    assert run("analyze", "may.csv", "--dataset", "sales", "--delimiter", ";").exit_code == 0
    with options.open_storage() as storage:
        assert storage.dataset_settings.load("sales", "reading") == {}


def test_the_options_are_stored_for_the_dataset_that_the_file_joins(run: Run) -> None:
    assert run("analyze", "orders.csv", "--encoding", "cp1252", "--save", "--author", "Ana").exit_code == 0
    for options_of_run in (("--dataset", "orders"), ("--save", "--author", "Ana")):
        later = run("analyze", "orders.csv", *options_of_run)
        assert later.stderr == "Read as last time: encoding cp1252.\n"


def test_the_key_of_a_saved_report_is_used_for_the_next_file(run: Run, folder: Path) -> None:
    (folder / "may.csv").write_text(
        "id,code,amount\n" + "".join(f"{n},c{n},1\n" for n in range(40)) + "40,c40,\n"
    )
    (folder / "june.csv").write_text("id,amount\n" + "".join(f"{n},1\n" for n in range(40)) + "40,\n")
    for name in ("may", "june"):
        assert (
            run("analyze", f"{name}.csv", "--dataset", "sales", "--rows-out", f"plain-{name}").exit_code == 0
        )
    saved = run("analyze", "may.csv", "--dataset", "sales", "--key", "code", "--save", "--author", "Ana")
    assert saved.exit_code == 0
    with options.open_storage() as storage:
        assert storage.dataset_settings.load_row_key("sales") == ["code"]
        (event,) = storage.audit_log(component="dataset_settings")
        assert event["actor"] == "Ana"

    for out, name, key in (("plain-may", "may", "id"), ("later", "may", "code"), ("without", "june", "id")):
        if not (folder / out).exists():
            assert run("analyze", f"{name}.csv", "--dataset", "sales", "--rows-out", out).exit_code == 0
        (file,) = (folder / out).glob("*-amount-null.csv")
        assert file.read_text("utf-8-sig").splitlines()[0].split(",")[2] == key


def test_stored_settings_that_cannot_be_used_are_named(run: Run) -> None:
    with options.open_storage() as storage:
        storage.dataset_settings.save("orders", "reading", {"colour": "red"}, actor="Ana")
        storage.dataset_settings.save("sales", "reading", {"header_row": 99}, actor="Ana")
    result = run("analyze", "orders.csv", "--dataset", "orders")
    assert result.exit_code == 2
    assert "settings stored for dataset 'orders' cannot be used: There is no reading setting" in result.stderr
    assert run("analyze", "orders.csv", "--dataset", "orders", "--encoding", "utf-8").exit_code == 0
    result = run("analyze", "orders.csv", "--dataset", "sales")
    assert result.exit_code == 2
    assert "Read as last time: header row 99." in result.stderr
    assert "its table is said to start at line 99" in result.stderr


def test_a_check_runs_without_the_storage_and_says_what_is_not_used(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").write_text("not a folder", "utf-8")
    (folder / "sales.csv").write_text("id,amount\n1,2\n2,\n", "utf-8")
    monkeypatch.setenv("LAVENDERTOWN_DATABASE_URL", f"sqlite:///{folder}/file/store.db")
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "database")
    result = run("analyze", "sales.csv", "--dataset", "orders")
    assert result.exit_code == 0
    assert "Stored settings are not used: " in result.stderr
    assert run("analyze", "sales.csv", "--dataset", "orders", "--save", "--author", "Ana").exit_code == 2


def test_the_affected_rows_are_written_to_a_folder(run: Run, folder: Path) -> None:
    text = "May\n\nid,name,amount\n" + "".join(f"{n},{'=x' if n == 3 else 'ü'},{n % 5}\n" for n in range(40))
    (folder / "may.csv").write_text(text + "40,,\n41,=SUM(A1),\n", "utf-8")
    result = run("analyze", "may.csv", "--rows-out", "out", "--key", "id")
    assert result.exit_code == 0
    assert result.stderr.startswith("Wrote 2 files of affected rows to out.")
    (file,) = (folder / "out").glob("*-amount-null.csv")
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.reader(opened))
    assert rows[0] == ["finding", "row", "id", "amount", "name"]
    assert [row[1:] for row in rows[1:]] == [["44", "40", "", ""], ["45", "41", "", "'=SUM(A1)"]]
    again = run("analyze", "may.csv", "--rows-out", "out")
    assert again.exit_code == 2
    assert again.stderr == "Error: The folder out has files; choose an empty or a new one.\n"
    (folder / "file").write_text("x", "utf-8")
    assert "cannot be written to file/rows" in run("analyze", "may.csv", "--rows-out", "file/rows").stderr


def test_the_affected_rows_are_written_to_excel_files(run: Run, folder: Path) -> None:
    pl.DataFrame(
        {
            "id": range(40),
            "note": ["=SUM(A1)", "https://example.org", "x" * 40_000, "7"] + ["ok"] * 36,
            "placed": [dt.datetime(1850, 1, 1), None, *[dt.datetime(2026, 5, 1, 12)] * 38],
            "sent": pl.Series([dt.datetime(2026, 5, 1, 12)] * 40).dt.replace_time_zone("UTC"),
            "price": [None] * 4 + [1.5] * 36,
        }
    ).write_parquet(folder / "may.parquet")
    out = ("--rows-out", "out", "--rows-format", "excel", "--key", "id")
    assert run("analyze", "may.parquet", *out).exit_code == 0
    (file,) = (folder / "out").glob("*-price-null.xlsx")
    sheet = load_workbook(file)["Rows"]
    head, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert head == ["finding", "row", "id", "price", "note", "placed", "sent"]
    assert [row[1:4] for row in rows] == [[n + 1, n, None] for n in range(4)]
    assert [row[4] for row in rows] == ["=SUM(A1)", "https://example.org", "x" * 32_766 + "…", "7"]
    assert {cell.data_type for cell in sheet["E"]} == {"s"}
    assert rows[0][5] == "1850-01-01 00:00:00"
    assert rows[2][5] == dt.datetime(2026, 5, 1, 12)
    assert str(rows[0][6]).startswith("2026-05-01 12:00:00")
    refused = run("analyze", "may.parquet", "--rows-format", "excel")
    assert (refused.exit_code, "--rows-format requires --rows-out" in refused.stderr) == (2, True)


def test_the_name_of_a_column_is_no_path(run: Run, folder: Path) -> None:
    (folder / "may.csv").write_text("id,../../x\n" + "1,\n" * 3 + "2,a\n", "utf-8")
    assert run("analyze", "may.csv", "--rows-out", "out/deep").exit_code == 0
    assert {path.parent for path in folder.rglob("*-null.csv")} == {folder / "out" / "deep"}


def test_a_check_configuration_applies_to_the_run(run: Run, answer: Answer, folder: Path) -> None:
    (folder / "checks.yaml").write_text("checks: {nulls: off}\n", "utf-8")
    result = run("analyze", "orders.csv", "--checks", "checks.yaml")
    assert "Not run: nulls, because it is switched off." in result.stdout
    assert "amount is empty" not in result.stdout
    coverage = answer("analyze", "orders.csv", "--checks", "checks.yaml")["coverage"]
    assert coverage["switched_off"] == [{"check": "nulls", "column": "", "reason": "it is switched off"}]


def test_a_wrong_check_configuration_is_refused_in_a_sentence(run: Run, folder: Path) -> None:
    (folder / "checks.yaml").write_text("checks: {nuls: off}\n", "utf-8")
    result = run("analyze", "orders.csv", "--checks", "checks.yaml")
    assert result.exit_code == 2
    assert result.stderr == ("Error: checks.yaml: the check 'nuls' is unknown; did you mean 'nulls'?\n")


def test_the_stored_checks_and_rules_of_a_dataset_apply_when_it_is_known(run: Run, folder: Path) -> None:
    with options.open_storage() as storage:
        storage.save_ruleset(
            RuleSet("shop", "", [Rule("few orders", "", "row_count", None, {"max_rows": 1})])
        )
        configuration = CheckConfiguration.from_dict(
            {"columns": {"amount": {"optional": True}, "gone": {"optional": True}}, "rule_sets": ["shop"]}
        )
        storage.dataset_settings.save_checks("orders", configuration, actor="Ana")
    for options_of_run in (("--dataset", "orders"), ("--save", "--author", "Ana")):
        result = run("analyze", "orders.csv", *options_of_run)
        assert result.exit_code == 0
        assert "amount is empty" not in result.stdout
        assert "few orders: the table has 4 rows" in result.stdout
        assert "Checks as set for dataset orders.\n" in result.stderr
        assert "names columns that the table does not have: gone." in result.stderr
    assert "amount is empty" in run("analyze", "orders.csv").stdout
    (folder / "checks.yaml").write_text("columns: {amount: {optional: false}}\n", "utf-8")
    both = run("analyze", "orders.csv", "--dataset", "orders", "--checks", "checks.yaml")
    assert "amount is empty" in both.stdout
    assert "few orders: " in both.stdout
