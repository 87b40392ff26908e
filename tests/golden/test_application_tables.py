"""An application's own tables keep their names, audit events and CSV archive on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lavendertown.database import get_engine
from tests.golden import application
from tests.golden.goldens import check_texts, check_value, read_golden
from tests.golden.recording import Recording


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of the application."""
    sqlite = request.param == "sqlite"
    return f"sqlite:///{tmp_path / 'app.db'}" if sqlite else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def recording(database_url: str) -> Iterator[Recording]:
    """What was generated while the application wrote its rows."""
    yield application.fill(database_url)
    get_engine().dispose()


def test_the_plural_rule_gives_every_class_the_same_table() -> None:
    class_names = read_golden("table_names.json")
    check_value("table_names.json", application.table_names(class_names))


def test_every_change_of_a_row_is_audited_the_same(recording: Recording) -> None:
    check_value("application_audit.json", application.audit_events(recording))


def test_the_csv_archive_has_the_same_parts_headers_and_rows(
    database_url: str, recording: Recording, tmp_path: Path
) -> None:
    check_texts("csv_archive", application.archive(database_url, recording, tmp_path))
