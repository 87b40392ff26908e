"""Hostile text in every field comes back as it was, and none of it runs as SQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.models import ShareableReport
from lavendertown.records.record_classes import Record, RecordKind
from lavendertown.records.store import UnitOfWork
from lavendertown.rules.models import Rule, RuleSet
from tests.contract.builders import annotation, finding, report
from tests.support import mariadb

HOSTILE = [
    "\\",
    "'",
    "\\'",
    "\\''",
    "''\\",
    "\\\\'",
    "\\'; DROP TABLE audit_log; --",
    "'; DROP TABLE audit_log; --",
    "$$ $1 $a$ {} [] {1,2}",
    "100 % %s %(rows)s %% :name ?",
    'a","b',
    "NULL",
    "\\N",
    "null",
    "line\n\\.\nend\r\n\ttab",
    "\x1e between \x1f",
    "E'\\047' U&'\\0027'",
    "snow ☃ 👻 \u02bc \uff07 ¿'",
]
# A whole row of reports up to its end, for where a backslash takes a quotation mark out of a text.
OWNED = (
    "x\\', $$$$, now(), now(), 1, 0, 1, 0, 1, NULL, NULL, NULL, $${}$$); "
    "SELECT setval(pg_get_serial_sequence($$reports$$, $$key$$), 7000000); --"
)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres), *mariadb.PARAMS])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DatabaseStorage]:
    server = request.param != "sqlite"
    url = request.getfixturevalue(f"{request.param}_url") if server else f"sqlite:///{tmp_path / 's.db'}"
    with closing(DatabaseStorage(url)) as made:
        yield made


def switch(storage: DatabaseStorage, setting: str) -> None:
    """Let a hook decide whether a backslash in a plain SQL literal is an escape (``off``) or not."""
    mode = "',NO_BACKSLASH_ESCAPES'"
    change = "CONCAT(@@sql_mode, {})" if setting == "on" else "REPLACE(@@sql_mode, {}, '')"
    statement = {
        "postgresql": f"SET standard_conforming_strings = {setting}",
        "mariadb": f"SET sql_mode = {change.format(mode)}",
    }.get(storage.store.engine.dialect.name)  # type: ignore[attr-defined]

    def change_setting(unit: UnitOfWork, record: Record) -> None:
        unit.connection.exec_driver_sql(statement)  # type: ignore[attr-defined]

    if statement:
        for kind in (RecordKind.REPORT, RecordKind.ANNOTATION, RecordKind.RULESET):
            for operation in ("create", "update"):
                storage.write_path.hooks.add_before(kind, operation, change_setting)


def hostile_report(report_id: str, text: str) -> ShareableReport:
    found = finding(
        f"c {text}",
        ghost_type=f"t {text}",
        description=f"d {text}",
        metadata={"check": text, "params": {text: text}, "text": [text, None]},
    )
    rules = RuleSet(f"s {text}", text, [Rule(f"r {text}", text, "not_null", f"c {text}", {"a": text})])
    metadata = {"dataset": f"data {text}", "tags": [f"tag {text}".strip()], text: text}
    return report(
        report_id, [found], title=f"t {text}", author=f"a {text}".strip(), metadata=metadata, ruleset=rules
    )


@pytest.mark.parametrize("setting", ["on", "off"])
def test_hostile_text_in_every_field_of_a_report_comes_back(storage: DatabaseStorage, setting: str) -> None:
    switch(storage, setting)
    for number, text in enumerate(HOSTILE):
        saved = hostile_report(f"id {number}", text)
        for version in (1, 2):
            storage.save_report(saved)
            loaded = storage.load_report(saved.id)
            assert loaded is not None
            assert loaded.to_dict() == saved.to_dict() | {"version": version}
        (row,) = storage.query_reports(author=saved.author, dataset=saved.metadata["dataset"])
        assert (row["title"], row["author"]) == (saved.title, saved.author)


@pytest.mark.parametrize("setting", ["on", "off"])
def test_hostile_text_in_every_field_of_an_annotation_comes_back(
    storage: DatabaseStorage, setting: str
) -> None:
    switch(storage, setting)
    for number, text in enumerate(HOSTILE):
        author, tag = f"a {text}".strip(), f"tag {text}".strip()
        saved = annotation(f"about {number}", author=author, comment=text, tags=[tag])
        for version in (1, 2):
            storage.save_annotation(saved)
            (loaded,) = storage.get_annotations(saved.finding_id)
            assert loaded.to_dict() == saved.to_dict() | {"version": version}
        assert storage.audit_log(component="annotation")[0]["actor"] == saved.author


@pytest.mark.parametrize("setting", ["on", "off"])
def test_many_hostile_texts_at_once_come_back(storage: DatabaseStorage, setting: str) -> None:
    switch(storage, setting)
    saved = [hostile_report(f"id {number}", text) for number, text in enumerate(HOSTILE)]
    for version in (1, 2):
        storage.save_reports(saved)
        for each in saved:
            loaded = storage.load_report(each.id)
            assert loaded is not None
            assert loaded.to_dict() == each.to_dict() | {"version": version}


@pytest.mark.parametrize("setting", ["on", "off"])
def test_hostile_text_in_a_bulk_import_comes_back(storage: DatabaseStorage, setting: str) -> None:
    switch(storage, setting)
    texts = [*HOSTILE, "", *(f"{text} {number}" for number in range(20) for text in HOSTILE)]
    findings = [
        finding(text or "c", description=text, metadata={"check": text, "params": {}, "none": None})
        for text in texts
    ]
    saved = [report(f"r{number}", findings, title=texts[number]) for number in range(3)]
    storage.save_reports(saved)
    for each in saved:
        loaded = storage.load_report(each.id)
        assert loaded is not None
        assert loaded.to_dict() == each.to_dict() | {"version": 1}


@pytest.mark.postgres
@pytest.mark.parametrize("setting", ["on", "off"])
def test_an_authors_name_runs_no_sql(postgres_url: str, setting: str) -> None:
    with closing(DatabaseStorage(postgres_url)) as storage:
        switch(storage, setting)
        storage.save_report(report("r1", author=OWNED))
        assert storage.query_reports()[0]["author"] == OWNED
        with storage.session() as session:
            assert session.scalar(sa.text("SELECT last_value FROM reports_key_seq")) < 7_000_000
