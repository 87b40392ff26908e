"""Bundles over RPC, on files, SQLite and PostgreSQL: exported, merged into another store, and undone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lavendertown.collaboration.storage import FileStorage, Storage
from lavendertown.core.settings import load_settings
from lavendertown.rpc import ConnectClient, RpcError
from lavendertown.rpc.protocol.schema import Role
from lavendertown.rpc.team.app import build_team_app
from lavendertown.rpc.tokens import TokenStore
from tests.contract.builders import annotation, finding, report
from tests.contract.test_desk import name_of
from tests.rpc.conftest import Serve


@pytest.fixture
def client(storage: Storage, serve: Serve) -> ConnectClient:
    return ConnectClient(serve(build_team_app(lambda: storage)).url)


@pytest.fixture
def other(tmp_path: Path, serve: Serve) -> ConnectClient:
    """The server of another team, which has a report with a comment."""
    store = FileStorage(tmp_path / "other")
    store.save_report(report("r-1", [finding("email")], metadata={"dataset": "../or ders"}))
    store.save_annotation(annotation(name_of("email"), comment="Ask the shop."))
    return ConnectClient(serve(build_team_app(lambda: store)).url)


def counts(answer: Any) -> dict[str, tuple[int, int]]:
    return {each.kind: (each.new, each.unchanged) for each in answer.counts}


def test_a_bundle_is_exported_previewed_imported_and_undone(
    client: ConnectClient, other: ConnectClient, storage: Storage
) -> None:
    made = other.call("ExportBundle", {"report_ids": ["r-1"]})
    assert (made.reports, made.findings, made.file.name) == (1, 1, "or-ders.bundle.zip")
    request = {"file": {"name": made.file.name, "content": made.file.content}, "actor": "Ben"}
    preview = client.call("ImportBundle", {**request, "dry_run": True})
    assert (preview.dry_run, preview.changes_nothing, counts(preview)["reports"]) == (True, False, (1, 0))
    assert storage.load_report("r-1") is None
    done = client.call("ImportBundle", request)
    assert (done.bundle_id, [each.state for each in done.reports]) == (preview.bundle_id, ["new"])
    [dataset] = done.datasets
    assert (dataset.dataset, dataset.report_count, dataset.new, dataset.known) == ("../or ders", 0, 1, 0)
    assert storage.load_report("r-1") is not None
    again = client.call("ImportBundle", request)
    assert (again.changes_nothing, counts(again)["reports"]) == (True, (0, 1))
    undone = client.call("UndoBundle", {"bundle_id": done.bundle_id, "actor": "Ben"})
    assert (undone.undone, undone.reports, undone.kept) == (True, 1, 0)
    assert storage.query_reports() == []
    assert not client.call("UndoBundle", {"bundle_id": done.bundle_id}).undone
    [event] = storage.audit.query(operation="import_bundle")
    assert event["actor"] == "Ben"


def test_incidents_and_deletions_are_counted(
    client: ConnectClient, other: ConnectClient, storage: Storage, tmp_path: Path
) -> None:
    store = FileStorage(tmp_path / "other")
    (found,) = store.query_findings()
    store.save_annotation(annotation(found["finding_id"], id="n2"))
    made = other.call("ExportBundle", {"report_ids": ["r-1"]})
    client.call("ImportBundle", {"file": {"name": made.file.name, "content": made.file.content}})
    incident = store.incidents.create("Loader down", found["finding_id"], actor="Ana")
    store.delete_annotation("n2", actor="Ana")
    made = other.call("ExportBundle", {"report_ids": ["r-1"]})
    assert (made.annotations, made.incidents, made.deletions) == (0, 1, 1)
    done = client.call("ImportBundle", {"file": {"name": made.file.name, "content": made.file.content}})
    assert counts(done)["incidents"] == (1, 0)
    assert (done.deletions.trashed, done.deletions.kept, done.deletions.gone) == (1, 0, 0)
    assert storage.query_annotations() == []
    undone = client.call("UndoBundle", {"bundle_id": done.bundle_id})
    assert (undone.annotations, undone.incidents, undone.kept) == (1, 1, 0)
    assert [each["id"] for each in storage.query_annotations()] == ["n2"]
    deleted = storage.incidents.find(incident)
    assert deleted is not None
    assert deleted["deleted_at"] is not None


def test_what_is_wrong_with_a_request_is_said(client: ConnectClient) -> None:
    for method, request, problem in (
        ("ExportBundle", {}, "give 1 to 1,000"),
        ("ExportBundle", {"report_ids": ["r-9"]}, "There is no report 'r-9'"),
        ("ImportBundle", {}, "The request has no files"),
        ("ImportBundle", {"file": {"name": "a.zip", "content": b"PK\x03\x04junk"}}, "a.zip"),
        ("ImportBundle", {"file": {"name": "a.zip", "content": b""}}, "a.zip"),
        ("UndoBundle", {"bundle_id": "b-0"}, "No bundle 'b-0' was imported"),
    ):
        with pytest.raises(RpcError, match=problem):
            client.call(method, request)


def test_only_writers_import_bundles(
    storage: Storage, other: ConnectClient, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = other.call("ExportBundle", {"report_ids": ["r-1"]}).file
    monkeypatch.setenv("LAVENDERTOWN_RPC_AUTHENTICATION", "required")
    url = serve(build_team_app(lambda: storage)).url
    token, _ = TokenStore(load_settings().data_dir).create_token("viewer", Role.READER)
    reader = ConnectClient(url, token=token)
    for method, request in (
        ("ImportBundle", {"file": {"name": file.name, "content": file.content}}),
        ("UndoBundle", {"bundle_id": "b-0"}),
    ):
        with pytest.raises(RpcError) as refused:
            reader.call(method, request)
        assert refused.value.code.value == "permission_denied"
