"""What is exported comes in again exactly, on either database, or not at all."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import hashlib
import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import Storage
from lavendertown.errors import (
    InvalidInputError,
    LavenderTownError,
    RefusedRowsError,
    SchemaError,
    StorageError,
)
from lavendertown.rules.models import Rule, RuleSet
from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.stores.sql.copies import csv_cells
from lavendertown.stores.sql.copies.export import export_database
from lavendertown.transfer.backups.restore import restore_store
from tests.contract.builders import annotation, finding, report, sentence
from tests.database.test_restore import BACKENDS, parts, program, put_together, wipe, without_audit
from tests.schema.databases import FIRST, copy_of, rows, without_keys
from tests.support import postgres

import_zip = partial(restore_store, operation="import", replace=False)

pytestmark = pytest.mark.slow

ODD = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r\n=1",
    "\uff1d1",
    "'",
    "''=1",
    "\\N",
    "\\",
    "",
    ' "a", b\r\nc\n',
]


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'team.db'}"
    program(tmp_path, monkeypatch, "pg_dump", "exit 1")
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def storage(url: str) -> Iterator[Storage]:
    """Everything a store can hold, with texts that are hard on CSV."""
    opened = DatabaseStorage(url)
    found = [finding(text or "none", description=text, metadata={"x": text}) for text in ODD]
    found.append(finding("big", row_indices=list(range(0, 600_000, 3)), metadata={"ratio": -0.1}))
    notes = [annotation(found[0], id="a1", comment="=cmd|' /C calc'!A0", tags=["-x"], status="fixed")]
    opened.save_report(
        report("=r1", found, title="@title", metadata={"list": [None, 1, "=2"]}, annotations=notes)
    )
    opened.save_ruleset(RuleSet("-rules", "", [Rule("+rule", "d", "range", "c", {"min": -1})]))
    opened.save_report(report("gone"))
    opened.delete_report("gone")
    yield opened
    opened.close()


@pytest.fixture
def made(storage: Storage, url: str, tmp_path: Path) -> Path:
    return export_database(url, tmp_path / "all.zip").file


@pytest.fixture
def empty(url: str, tmp_path: Path, storage: Storage) -> str:
    """The same database after the export, wiped."""
    storage.close()
    wipe(url)
    return url


def manifest(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(parts(path)["manifest.json"])
    return found


def lines(path: Path, table: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(parts(path)[f"tables/{table}.csv"].decode(), newline="")))


def rewrite(path: Path, table: str, change: Callable[[list[list[str]]], None]) -> None:
    """Change a table's lines, as somebody would who also knows the checksum."""
    found = parts(path)
    told = json.loads(found["manifest.json"])
    content = lines(path, table)
    change(content)
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(content)
    (entry,) = (each for each in told["tables"] if each["name"] == table)
    found[entry["file"]] = text.getvalue().encode()
    entry |= {"sha256": hashlib.sha256(found[entry["file"]]).hexdigest(), "rows": len(content) - 1}
    found["manifest.json"] = json.dumps(told).encode()
    put_together(path, found)


@pytest.mark.parametrize("text", ODD)
def test_every_text_comes_back(text: str) -> None:
    cell = csv_cells.escape_formula(text)
    assert csv_cells.unescape_formula(cell) == text
    assert cell != csv_cells.NULL_CELL
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_the_manifest_counts_and_sums_every_table(storage: Storage, url: str, made: Path) -> None:
    content, found = rows(url), parts(made)
    told = {table["name"]: table for table in manifest(made)["tables"]}
    assert told.keys() == content.keys()
    for name, table in told.items():
        assert hashlib.sha256(found[table["file"]]).hexdigest() == table["sha256"]
        assert len(lines(made, name)) - 1 == table["rows"] == len(content[name])
        assert lines(made, name)[0] == [column["name"] for column in table["columns"]]


def test_no_text_looks_like_a_formula(made: Path) -> None:
    for table in manifest(made)["tables"]:
        texts = [n for n, column in enumerate(table["columns"]) if column["type"] in ("text", "json")]
        for line in lines(made, table["name"])[1:]:
            assert not any(line[n].startswith(("=", "+", "-", "@", "\t", "\r")) for n in texts)


def test_null_and_empty_text_differ(made: Path) -> None:
    header, *found = lines(made, "rulesets")
    assert found[0][header.index("description")] == ""
    assert found[0][header.index("deleted_at")] == "\\N"


def test_everything_comes_in_again(storage: Storage, url: str, made: Path) -> None:
    before = rows(url)
    storage.close()
    wipe(url)
    done = import_zip(url, made, actor="Ana")
    after = rows(url)
    assert without_audit(without_keys(after)) == without_audit(without_keys(before))
    old, new = (without_keys(content)["audit_log"] for content in (before, after))
    assert [row for row in new if row in old] == old
    assert len(new) == len(old) + 1
    assert (done.rows, done.backup_file) == ({name: len(found) for name, found in before.items()}, None)
    (line,) = storage.audit_log(component="store")
    assert (line["actor"], line["operation"], line["after"]["file"]) == ("Ana", "import", "all.zip")
    storage.save_report(report("r3"))


@pytest.mark.postgres
def test_it_goes_from_one_database_to_the_other_and_back(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    first, last = f"sqlite:///{tmp_path / 'a.db'}", f"sqlite:///{tmp_path / 'b.db'}"
    with closing(DatabaseStorage(first)) as storage:
        storage.save_report(report("r1", [finding(text or "none") for text in ODD]))
    import_zip(postgres_url, export_database(first, tmp_path / "a.zip").file)
    import_zip(last, export_database(postgres_url, tmp_path / "p.zip").file)
    assert without_audit(without_keys(rows(last))) == without_audit(without_keys(rows(first)))


def test_an_export_is_of_one_moment(storage: Storage, url: str, tmp_path: Path, monkeypatch: Any) -> None:
    from lavendertown.stores.sql.copies import export as exporting

    real = exporting._write_table

    def put(connection: sa.Connection, archive: zipfile.ZipFile, table: sa.Table) -> Any:
        told = real(connection, archive, table)
        storage.save_report(report(f"during-{table.name}"))
        return told

    monkeypatch.setattr(exporting, "_write_table", put)
    done = export_database(url, tmp_path / "all.zip")
    assert (done.rows["reports"], done.rows["findings"]) == (2, len(ODD) + 2)


def test_a_file_that_exists_is_not_written_over(url: str, made: Path) -> None:
    before = made.read_bytes()
    with pytest.raises(InvalidInputError, match="exists already"):
        export_database(url, made)
    assert made.read_bytes() == before


def test_an_export_that_cannot_be_written_leaves_nothing(storage: Storage, url: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="could not be written") as refused:
        export_database(url, tmp_path / "no folder" / "all.zip")
    sentence(refused)


def test_other_tables_are_exported_with_their_types(storage: Storage, url: str, tmp_path: Path) -> None:
    """An application's own tables beside ours: what they are is read from the database."""
    engine = make_engine(url)
    plants = sa.Table(
        "plants",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(20)),
        sa.Column("height", sa.Numeric(8, 2)),
        sa.Column("alive", sa.Boolean),
        sa.Column("seen", sa.DateTime),
        sa.Column("day", sa.Date),
        sa.Column("more", sa.JSON(none_as_null=True)),
        sa.Column("parent", sa.ForeignKey("plants.id")),
    )
    plants.create(engine)
    with engine.begin() as connection:
        moment = dt.datetime(2026, 3, 4, 5, 6, 7, 8)
        full = {"id": 1, "name": "=a", "height": decimal.Decimal("-1.50"), "alive": True, "seen": moment}
        full |= {"day": moment.date(), "more": {"a": [None]}, "parent": None}
        connection.execute(sa.insert(plants), [full])
        connection.execute(sa.insert(plants), [{"id": 2, "name": None, "parent": 1}])
    before = rows(url)
    file = export_database(url, tmp_path / "all.zip").file
    import_zip(url, file, replace=True)
    assert without_audit(without_keys(rows(url))) == without_audit(without_keys(before))
    with engine.begin() as connection:
        connection.execute(sa.insert(plants), [{"name": "next"}] if url.startswith("sqlite") else [{"id": 3}])
    engine.dispose()


def measures() -> sa.Table:
    """An application's table of times of day, intervals, exact numbers, bytes and UUIDs."""
    return sa.Table(
        "measures",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Time),
        sa.Column("took", sa.Interval),
        sa.Column("price", sa.Numeric(30, 8)),
        sa.Column("data", sa.LargeBinary),
        sa.Column("code", sa.Uuid),
    )


MEASURES: list[dict[str, Any]] = [
    {"id": 1, "at": dt.time(4, 5, 6, 7), "took": dt.timedelta(days=3, seconds=4, microseconds=5)},
    {"id": 2, "at": dt.time(0), "took": dt.timedelta(days=-2, hours=30, minutes=1)},
    {"id": 3, "at": dt.time(23, 59, 59), "took": dt.timedelta(0)},
    {"id": 4, "price": decimal.Decimal("1234567890123456789012.12345678")},
    {"id": 5, "price": decimal.Decimal("-0.1")},
    {"id": 6, "data": bytes(range(256)), "code": uuid.UUID(int=2**127 + 7)},
    {"id": 7, "data": b"", "code": uuid.UUID(int=0)},
]
MEASURES = [dict.fromkeys(("at", "took", "price", "data", "code")) | each for each in MEASURES]


def fill_measures(url: str, content: list[dict[str, Any]]) -> None:
    DatabaseStorage(url).close()
    engine, table = make_engine(url), measures()
    table.create(engine)
    with engine.begin() as connection:
        for row in content:
            connection.execute(sa.insert(table), row)
    engine.dispose()


def read_measures(url: str) -> list[dict[str, Any]]:
    engine, table = make_engine(url), measures()
    with engine.begin() as connection:
        found = [dict(row) for row in connection.execute(sa.select(table).order_by("id")).mappings()]
    engine.dispose()
    return found


@pytest.mark.postgres
@pytest.mark.parametrize("source", ["sqlite", "postgres"])
@pytest.mark.parametrize("target", ["sqlite", "postgres"])
def test_values_of_every_type_come_back_in_either_database(
    tmp_path: Path, postgres_server: str, monkeypatch: pytest.MonkeyPatch, source: str, target: str
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    program(tmp_path, monkeypatch, "pg_dump", "exit 1")
    urls = [
        f"sqlite:///{tmp_path / f'{n}.db'}" if name == "sqlite" else postgres.create_database(postgres_server)
        for n, name in enumerate((source, target))
    ]
    fill_measures(urls[0], MEASURES)
    fill_measures(urls[1], [])
    import_zip(urls[1], export_database(urls[0], tmp_path / "all.zip").file)
    try:
        assert read_measures(urls[1]) == MEASURES
    finally:
        for url in urls:
            if not url.startswith("sqlite"):
                postgres.drop_database(postgres_server, url)


@pytest.mark.postgres
def test_an_interval_of_months_is_kept_by_postgresql_and_refused_by_sqlite(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    program(tmp_path, monkeypatch, "pg_dump", "exit 1")
    fill_measures(postgres_url, [])
    engine = make_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO measures (id, took) VALUES (1, '1 year 2 mons -3 days')"))
    file = export_database(postgres_url, tmp_path / "all.zip").file
    import_zip(postgres_url, file, replace=True)
    with engine.begin() as connection:
        assert (
            connection.scalar(sa.text("SELECT CAST(took AS TEXT) FROM measures")) == "1 year 2 mons -3 days"
        )
    engine.dispose()
    url = f"sqlite:///{tmp_path / 'target.db'}"
    fill_measures(url, [])
    with pytest.raises(RefusedRowsError) as refused:
        import_zip(url, file)
    assert list(refused.value.problems) == [
        "measures.csv, row 2: took must be an interval of days and a time, such as 3 days 04:05:06, "
        "not '1 year 2 mons -3 days'"
    ]


@pytest.mark.postgres
def test_intervals_that_an_earlier_version_exported_come_back(postgres_url: str, tmp_path: Path) -> None:
    fill_measures(postgres_url, MEASURES)
    file = export_database(postgres_url, tmp_path / "all.zip").file
    found = parts(file)
    found["manifest.json"] = found["manifest.json"].replace(b'"interval"', b'"sql"')
    put_together(file, found)
    import_zip(postgres_url, file, replace=True)
    assert read_measures(postgres_url) == MEASURES


@pytest.mark.postgres
def test_a_type_that_only_postgresql_knows_comes_back_as_its_text(postgres_url: str, tmp_path: Path) -> None:
    DatabaseStorage(postgres_url).close()
    engine = make_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE plants (names TEXT[], age INTERVAL)"))
        connection.execute(sa.text("INSERT INTO plants VALUES ('{=a,\"b, c\"}', '3 days'), (NULL, NULL)"))
    engine.dispose()
    before = rows(postgres_url)["plants"]
    import_zip(postgres_url, export_database(postgres_url, tmp_path / "all.zip").file, replace=True)
    assert rows(postgres_url)["plants"] == before


def test_a_filled_database_is_refused(storage: Storage, url: str, made: Path) -> None:
    before = rows(url)
    for dry_run in (True, False):
        with pytest.raises(InvalidInputError, match=r"is not empty \(.*reports.*--replace"):
            import_zip(url, made, dry_run=dry_run)
    assert rows(url) == before


def test_replacing_keeps_a_copy(storage: Storage, url: str, made: Path) -> None:
    before = without_audit(without_keys(rows(url)))
    storage.save_report(report("later"))
    done = import_zip(url, made, replace=True)
    assert done.backup_file is not None
    assert done.backup_file.is_file()
    assert done.rows_before["reports"] == 3
    assert without_audit(without_keys(rows(url))) == before


def test_a_dry_run_changes_nothing(storage: Storage, url: str, made: Path, tmp_path: Path) -> None:
    before, files = rows(url), sorted(tmp_path.rglob("*"))
    tried = import_zip(url, made, replace=True, dry_run=True)
    assert (tried.rows["reports"], tried.backup_file) == (2, None)
    assert (rows(url), sorted(tmp_path.rglob("*"))) == (before, files)


def test_a_dry_run_makes_no_tables(made: Path, empty: str, tmp_path: Path) -> None:
    files = sorted(tmp_path.rglob("*"))
    assert import_zip(empty, made, dry_run=True).rows["reports"] == 2
    assert sorted(tmp_path.rglob("*")) == files
    if not empty.startswith("sqlite"):
        assert rows(empty) == {}


def set_cell(table: list[list[str]], number: int, column: str, cell: str) -> None:
    table[number - 1][table[0].index(column)] = cell


def test_every_problem_is_told_with_its_row(made: Path, empty: str) -> None:
    def spoil(table: list[list[str]]) -> None:
        set_cell(table, 2, "severity", "high")
        set_cell(table, 3, "seen_at", "yesterday")
        set_cell(table, 3, "share", "a lot")
        set_cell(table, 4, "metadata", "{not json")
        set_cell(table, 5, "ghost_type", "\\N")
        set_cell(table, 6, "ghost_type", "x" * 81)
        table[6].append("one more")

    rewrite(made, "findings", spoil)
    rewrite(made, "finding_rows", lambda table: set_cell(table, 2, "data", "%%%"))
    for dry_run in (True, False):
        with pytest.raises(RefusedRowsError, match="7 problems; nothing was changed") as refused:
            import_zip(empty, made, dry_run=dry_run)
        sentence(refused)
        told = sorted(refused.value.problems)
        assert told == [
            "finding_rows.csv, row 2: data must be base64, not '%%%'",
            "findings.csv, row 2: severity must be a whole number of 64 bits, not 'high'",
            "findings.csv, row 3: seen_at must be an ISO 8601 time with a time zone, not 'yesterday'; "
            "share must be a number, not 'a lot'",
            "findings.csv, row 4: metadata must be JSON, not '{not json'",
            "findings.csv, row 5: ghost_type must be filled (it is NULL), not '\\\\N'",
            f"findings.csv, row 6: ghost_type must be at most 80 characters long (it has 81), "
            f"not '{'x' * 50}'",
            "findings.csv, row 7: has 15 cells, not 14",
        ]
    assert untouched(empty)


def untouched(url: str) -> bool:
    if url.startswith("sqlite"):
        return not Path(url.removeprefix("sqlite:///")).exists()
    return rows(url) == {}


def test_what_the_database_demands_is_told_with_its_row(made: Path, empty: str) -> None:
    def spoil(table: list[list[str]]) -> None:
        table[2] = list(table[1])
        set_cell(table, 5, "report_key", "4711")

    rewrite(made, "findings", spoil)
    with pytest.raises(RefusedRowsError) as refused:
        import_zip(empty, made)
    same, nowhere = refused.value.problems
    assert same.startswith("findings.csv, row 3: ")
    assert nowhere.startswith("findings.csv, row 5: ")
    assert not any(rows(empty).values()) if not untouched(empty) else True


def test_not_more_than_a_hundred_problems_are_listed(made: Path, empty: str) -> None:
    def spoil(table: list[list[str]]) -> None:
        for _ in range(150):
            table.append(["x"])

    rewrite(made, "findings", spoil)
    with pytest.raises(RefusedRowsError, match="at least 100 problems") as refused:
        import_zip(empty, made)
    assert len(refused.value.problems) == 100


def changed(path: Path) -> None:
    found = parts(path)
    found["tables/reports.csv"] = found["tables/reports.csv"].replace(b"title", b"Title", 1)
    put_together(path, found)


def retyped(path: Path) -> None:
    found = parts(path)
    told = json.loads(found["manifest.json"])
    told["tables"][0]["columns"][0]["type"] = "date"
    put_together(path, {**found, "manifest.json": json.dumps(told).encode()})


def newer(path: Path) -> None:
    told = {**manifest(path), "revision": "9999"}
    put_together(path, {**parts(path), "manifest.json": json.dumps(told).encode()})


def older(path: Path) -> None:
    told = {**manifest(path), "revision": "0001"}
    put_together(path, {**parts(path), "manifest.json": json.dumps(told).encode()})


def other_format(path: Path) -> None:
    told = {**manifest(path), "export": 99}
    put_together(path, {**parts(path), "manifest.json": json.dumps(told).encode()})


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def no_manifest(path: Path) -> None:
    put_together(path, {"readme.txt": b"hello"})


def without_a_file(path: Path) -> None:
    put_together(path, {name: data for name, data in parts(path).items() if name != "tables/findings.csv"})


def missing(path: Path) -> None:
    path.unlink()


BAD = {
    changed: "does not match its checksum",
    retyped: "is date in",
    newer: "a newer version",
    older: "schema revision 0001, but its table",
    other_format: "format 99",
    cut: "damaged",
    no_manifest: "not a backup or export",
    without_a_file: "damaged",
    missing: "There is no file",
}


@pytest.mark.parametrize("spoil", BAD, ids=lambda spoil: spoil.__name__)
def test_a_bad_file_is_refused_in_a_sentence(
    storage: Storage, url: str, made: Path, spoil: Callable[[Path], None]
) -> None:
    before = rows(url)
    spoil(made)
    with pytest.raises(LavenderTownError, match=BAD[spoil]) as refused:
        import_zip(url, made, replace=True)
    assert "nothing was changed" in sentence(refused)
    assert rows(url) == before


def test_an_older_database_is_neither_exported_nor_filled(tmp_path: Path) -> None:
    with closing(DatabaseStorage(f"sqlite:///{tmp_path / 'new.db'}")):
        file = export_database(f"sqlite:///{tmp_path / 'new.db'}", tmp_path / "all.zip").file
    url = copy_of(FIRST, tmp_path)
    with pytest.raises(SchemaError, match="earlier version"):
        import_zip(url, file)
    with pytest.raises(SchemaError, match="earlier version"):
        export_database(url, tmp_path / "old.zip")
