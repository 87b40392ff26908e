"""A field that is added to every record, as CONTRIBUTING.md says, goes through everything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.records.record_classes import RecordKind
from lavendertown.transfer.record_digests import hash_record
from tests.added_field.enlarged_copy import make_copy
from tests.migration.stores import fill
from tests.support import no_skips, postgres

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The enlarged copy of the package and its tests."""
    folder = tmp_path_factory.mktemp("enlarged") / "copy"
    make_copy(folder)
    return folder


def run_tests(copy: Path, server: str, tests: Sequence[str], **environment: str) -> None:
    """Run tests in the copy, on the PostgreSQL server of this run; fail with what they print."""
    # It asks for browser tests as well, and these run outside the copy.
    inherited = {name: value for name, value in os.environ.items() if name != no_skips.VARIABLE}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            f"--basetemp={copy.parent / tests[0].replace('/', '-')}",
            *tests,
        ],
        cwd=copy,
        env=inherited | {"PYTHONPATH": str(copy), postgres.URL_VARIABLE: server} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-5_000:]


def test_stores_and_public_classes(copy: Path, postgres_server: str) -> None:
    run_tests(copy, postgres_server, ["tests/contract/test_added_fields.py"])


def test_migrations_archives_backups_and_upgrades(copy: Path, postgres_server: str, tmp_path: Path) -> None:
    storage = DatabaseStorage(f"sqlite:///{tmp_path / 'store.db'}")
    fill(storage, 7, 6)
    digests: dict[str, dict[str, str]] = {}
    for kind in RecordKind:
        found = storage.store.iterate_records(kind, lambda *damage: pytest.fail(str(damage)))
        digests[kind.value] = {record.id: hash_record(record).hex() for record in found}
    storage.close()
    (tmp_path / "digests.json").write_text(json.dumps(digests), "utf-8")
    tests = ["tests/migration/test_added_fields.py"]
    run_tests(copy, postgres_server, tests, ADDED_FIELDS_BEFORE=str(tmp_path))


def test_files_and_digests_of_older_records_do_not_change(copy: Path, postgres_server: str) -> None:
    golden = "tests/golden/test_stored_formats.py"
    run_tests(
        copy,
        postgres_server,
        [
            "tests/test_record_fields.py",
            f"{golden}::test_every_file_is_written_byte_for_byte",
            f"{golden}::test_golden_files_migrate_and_come_back_unchanged",
            f"{golden}::test_golden_records_equal_those_of_a_migrated_store",
        ],
    )
