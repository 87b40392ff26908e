"""Write the golden files again, after an intended change of a format, a name or an answer.

    python -m tests.golden.make_golden_assets

Review the diff before you commit it: every line of it is a change that users, their scripts or their
stored data will meet.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lavendertown.collaboration.storage import FileStorage
from tests.golden import addresses, application, check_names, command_line, demo_store, fingerprints
from tests.golden.answers import answers
from tests.golden.goldens import ASSETS, as_text, read_golden
from tests.golden.recording import read_folder


def write_texts(folder: str, texts: Mapping[str, str]) -> None:
    """Replace a golden folder by these files."""
    shutil.rmtree(ASSETS / folder, ignore_errors=True)
    for name, text in texts.items():
        path = ASSETS / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))


def write_value(name: str, value: object) -> None:
    """Write one golden JSON file."""
    (ASSETS / name).write_bytes(as_text(value).encode("utf-8"))


def make_store(scratch: Path) -> None:
    """Write the files of the demo store, and what its public methods answer."""
    storage = FileStorage(scratch / "store")
    recording = demo_store.fill(storage)
    write_value("storage.json", answers(storage, recording))
    storage.close()
    write_texts("store", read_folder(scratch / "store", recording))


def make_application(scratch: Path) -> None:
    """Write the table names, the audit events and the CSV archive of an application.

    The class names stay those of the golden file: every irregular plural, and each regular ending.
    """
    database_url = f"sqlite:///{scratch / 'application.db'}"
    write_value("table_names.json", application.table_names(read_golden("table_names.json")))
    recording = application.fill(database_url)
    write_value("application_audit.json", application.audit_events(recording))
    write_texts("csv_archive", application.archive(database_url, recording, scratch))


def make_command_line(scratch: Path) -> None:
    """Write what the commands print with ``--json``, and the ids of the schema's revisions."""
    folder, store = scratch / "commands", scratch / "commands" / "data"
    folder.mkdir()
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAVENDERTOWN_DATA_DIR", str(store))
        storage = FileStorage(store)
        recording = demo_store.fill(storage)
        storage.close()
        write_value("cli_stores.json", command_line.answers_about_stores(str(store), folder))
        write_value("cli_records.json", command_line.answers_about_records(recording, folder))
        database = f"sqlite:///{folder / 'empty.db'}"
        write_value("cli_databases.json", command_line.answers_about_databases(database, folder))
        write_value("revisions.json", command_line.revisions())
        write_value("cli_tokens.json", command_line.answers_about_tokens())
        patch.setenv("LAVENDERTOWN_DATA_DIR", str(scratch / "no records"))
        write_value("cli_rules.json", command_line.answers_about_rules(folder))


def make_addresses(scratch: Path) -> None:
    """Write what each address of the golden file lists today."""
    shutil.copytree(ASSETS / "store", scratch / "addresses")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAVENDERTOWN_DATA_DIR", str(scratch / "addresses"))
        write_value("addresses.json", addresses.list_all(read_golden("addresses.json")))


def make_fingerprints(scratch: Path) -> None:
    """Write the fingerprints of the findings of the golden file, and of those of the demo."""
    entries = read_golden("fingerprints.json")
    write_value("fingerprints.json", fingerprints.with_fingerprints(entries))
    write_value("legacy_ids.json", fingerprints.aliases(FileStorage(scratch / "legacy")))
    write_demo_findings(fingerprints.demo_findings(scratch / "demo"))
    write_value("checks.json", check_names.names_and_defaults())


def write_demo_findings(found: Mapping[str, Any]) -> None:
    """Add the findings that came since to those of the golden file, which stay as they are.

    A test shows with them that a finding that an earlier version described keeps its fingerprint. One that
    is no longer found is named in ``test_fingerprints.py``.
    """
    write_value("demo_findings.json", {**found, **read_golden("demo_findings.json")})


def main() -> None:
    """Write all golden files."""
    ASSETS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        make_store(Path(scratch))
        make_application(Path(scratch))
        make_command_line(Path(scratch))
        make_addresses(Path(scratch))
        make_fingerprints(Path(scratch))


if __name__ == "__main__":
    main()
