"""Open and Closed are the same findings in every list, chart, command and interface."""

from __future__ import annotations

import datetime as dt
import json
import random
import re
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from lavendertown import demo
from lavendertown.cli import cli
from lavendertown.collaboration.chart_selection import ChartSelection
from lavendertown.collaboration.models import Annotation
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import FileStorage, Storage
from lavendertown.core import clock, statuses
from lavendertown.rpc import ConnectClient
from lavendertown.rpc.team.app import build_team_app
from tests.contract.builders import at, finding, report
from tests.support.rpc import start_rpc

Counts = dict[str, int]
SCREEN = Path(__file__).parents[2] / "lavendertown" / "ui" / "main.py"


def inbox_counts(storage: Storage) -> Counts:
    counted = storage.inbox.count_by_value()["state"]
    return {state: counted.get(state, 0) for state in ("open", "closed")}


def counts_of_lists(storage: Storage) -> Counts:
    return {state: len(storage.inbox.query_ids(state=state)) for state in ("open", "closed")}


def status_counts(storage: Storage) -> Counts:
    rows = storage.inbox.query(limit=None)
    closed = sum(statuses.is_closed(row["status"]) for row in rows)
    return {"open": len(rows) - closed, "closed": closed}


def report_counts(storage: Storage) -> Counts:
    """Count the findings of all reports by the status that the page of a report shows."""
    shown = {row["finding_id"]: row["status"] for row in storage.query_findings(limit=None)}
    current = {storage.findings.resolve_id(name): status for name, status in shown.items()}
    closed = sum(map(statuses.is_closed, current.values()))
    return {"open": len(current) - closed, "closed": closed}


def trend_counts(storage: Storage) -> Counts:
    now = clock.now() + dt.timedelta(seconds=1)
    [row] = storage.trends.count_statuses([now - dt.timedelta(days=1), now])
    return {state: row[state] for state in ("open", "closed")}


def chart_counts(storage: Storage) -> Counts:
    now = clock.now() + dt.timedelta(seconds=1)
    return {
        "open": len(storage.trends.select_findings(ChartSelection("open", now, now))),
        "closed": len(storage.trends.select_findings(ChartSelection("closed", now, now))),
    }


IN_PYTHON: list[Callable[[Storage], Counts]] = [
    counts_of_lists,
    status_counts,
    report_counts,
    trend_counts,
    chart_counts,
]


@pytest.mark.parametrize("seed", range(4))
def test_every_question_gets_the_same_counts(storage: Storage, seed: int) -> None:
    fill_at_random(storage, random.Random(seed))
    expected = inbox_counts(storage)
    assert min(expected.values()) > 0
    assert {each.__name__: each(storage) for each in IN_PYTHON} == {
        each.__name__: expected for each in IN_PYTHON
    }


def fill_at_random(storage: Storage, chance: random.Random) -> None:
    """Save runs of two datasets, and decisions of every kind between them."""
    numbers = count()
    for day in range(6):
        for dataset in ("orders", "people"):
            columns = chance.sample("abcdefgh", chance.randint(2, 6))
            found = [
                finding(name, metadata={"check": "nulls", "params": {}, "count": chance.randint(1, 90)})
                for name in columns
            ]
            ran = [{"check": "nulls", "column": c, "params": {}, "outcome": "passed"} for c in "abcdef"]
            metadata = {"dataset": dataset, "coverage": {"ran": ran}}
            storage.save_report(report(f"{dataset} {day}", found, created_at=at(24 * day), metadata=metadata))
        for row in chance.sample(storage.inbox.query(limit=None), 4):
            decide_at_random(storage, chance, row["finding_id"], at(24 * day + 12), next(numbers))
    storage.delete_report("people 2")


def decide_at_random(
    storage: Storage, chance: random.Random, name: str, when: dt.datetime, number: int
) -> None:
    if chance.random() < 0.2:
        storage.triage.decide(name, Decision(snooze_until=clock.now() + dt.timedelta(days=9)), actor="Maya")
        return
    status = chance.choice(statuses.NAMES)
    storage.save_annotation(Annotation(f"a{number}", name, "Maya", when, "Because.", status=status))


def test_every_interface_counts_mentions_in_the_thread_of_an_incident_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "file")
    monkeypatch.setenv("LAVENDERTOWN_RPC_AUTHENTICATION", "off")
    storage = FileStorage(tmp_path)
    storage.save_report(report("r-1", [finding(column) for column in "abcd"]))
    names = storage.inbox.query_ids()
    made = storage.incidents.create("Loader down", names[:2], actor="Ana")
    storage.incidents.comment(made, "Ask @Chiyo Tanaka.", author="Ana")
    storage.save_annotation(Annotation("a1", names[2], "Ana", clock.now(), "Or @Chiyo Tanaka?"))
    assert storage.inbox.query_ids(mentions="Chiyo Tanaka") == names[:3]
    asked = ["findings", "inbox", "--mentions", "Chiyo Tanaka", "--json"]
    listed = json.loads(CliRunner().invoke(cli, asked).output)
    assert {each["finding_id"] for each in listed} == set(names[:3])
    server = start_rpc(build_team_app(lambda: storage).finalize())
    try:
        answer = ConnectClient(server.url).call("QueryInbox", {"mentions": "chiyo tanaka"})
        assert ([each.finding_id for each in answer.findings], answer.total) == (names[:3], 3)
    finally:
        server.stop()
    app = AppTest.from_file(str(SCREEN), default_timeout=30)
    app.session_state["person"] = "Chiyo Tanaka"
    app.query_params["view"] = "mentions"
    app.run()
    assert any("Mentions me 3" in str(button.label) for button in app.button)
    assert any(caption.value.startswith("3 findings") for caption in app.caption)


def test_every_interface_counts_the_findings_of_the_demo_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "file")
    monkeypatch.setenv("LAVENDERTOWN_RPC_AUTHENTICATION", "off")
    storage = FileStorage(tmp_path)
    demo.write_demo_data(storage, reports=30)
    expected = inbox_counts(storage)
    assert min(expected.values()) > 0
    assert [each(storage) for each in IN_PYTHON] == [expected] * len(IN_PYTHON)
    for state, number in expected.items():
        asked = ["findings", "inbox", "--state", state, "--limit", "1000", "--json"]
        assert len(json.loads(CliRunner().invoke(cli, asked).output)) == number
    server = start_rpc(build_team_app(lambda: storage).finalize())
    try:
        client = ConnectClient(server.url)
        assert {s: client.call("QueryInbox", {"state": [s]}).total for s in expected} == expected
    finally:
        server.stop()
    app = AppTest.from_file(str(SCREEN), default_timeout=30)
    app.session_state["person"] = "Chiyo Tanaka"
    app.run()
    shown = {match[1].lower(): int(match[2]) for button in app.button
             if (match := re.search(r"(Open|Closed) (?:\:gray\[)?(\d+)", str(button.label)))}  # fmt: skip
    assert shown == expected
