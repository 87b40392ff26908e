"""The dashboard's script under AppTest, on a file store of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.core.clock import now
from lavendertown.models import GhostFinding
from lavendertown.ui import queries
from lavendertown.ui.query_cache import QueryCache

HERE = Path(__file__).parent
MAIN = Path(__file__).parents[2] / "lavendertown" / "ui" / "main.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that open the dashboard as slow: half a second of processor time each."""
    for item in items:
        if item.path.is_relative_to(HERE) and "open_app" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def shared_answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test in which a screen changes an answer that all sessions share."""
    given: list[tuple[str, object, str]] = []
    read = QueryCache.read

    def remember(self: QueryCache, store: object, revision: str, question: str, compute: Any) -> Any:
        answer = read(self, store, revision, question, compute)
        given.append((question, answer, repr(answer)))
        return answer

    monkeypatch.setattr(QueryCache, "read", remember)
    yield
    assert [question for question, answer, before in given if repr(answer) != before] == []


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileStorage:
    """The store that the dashboard under test is configured to use."""
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "file")
    queries.forget_results()
    return FileStorage(tmp_path / "data")


@pytest.fixture
def save(storage: FileStorage) -> Callable[..., ShareableReport]:
    """Save a report with two findings; keywords replace its parts."""

    def make(report_id: str, **parts: object) -> ShareableReport:
        findings = [
            GhostFinding(
                "null",
                "customer_id",
                "error",
                "customer_id is empty in 41 rows.",
                [3, 5],
                {"check": "nulls", "params": {}, "count": 41, "share": 0.1},
            ),
            GhostFinding(
                "outlier",
                "price",
                "warning",
                "price has 3 unusual values.",
                [7],
                {"check": "outliers", "params": {}, "count": 3, "share": 0.01},
            ),
        ]
        given = {
            "title": "Orders, nightly",
            "author": "Ana Ferreira",
            "created_at": now(),
            "findings": findings,
            "metadata": {"dataset": "orders", "tags": ["q4"]},
            **parts,
        }
        report = ShareableReport(id=report_id, **given)  # type: ignore[arg-type]
        storage.save_report(report)
        return report

    return make


@pytest.fixture
def comment(storage: FileStorage) -> Callable[..., Annotation]:
    """Save an annotation on one of a report's findings."""

    def make(report: ShareableReport, place: int, **parts: object) -> Annotation:
        given = {"author": "Ben Okafor", "timestamp": now(), "comment": "Asked the shop.", **parts}
        number = len(storage.query_annotations(limit=None))
        annotation = Annotation(f"a-{number}", get_finding_id(report.findings[place]), **given)  # type: ignore[arg-type]
        storage.save_annotation(annotation)
        return annotation

    return make


@pytest.fixture
def open_app(storage: FileStorage) -> Callable[..., AppTest]:
    """Open the dashboard as Chiyo, on a screen, with query parameters, and run it."""

    def start(
        screen: str | None = "reports",
        person: str = "Chiyo Tanaka",
        browser: str | None = None,
        **query: str | list[str],
    ) -> AppTest:
        app = AppTest.from_file(str(MAIN), default_timeout=30)
        if browser:
            app.session_state["browser_session"] = browser
        app.session_state["person"] = person
        if not query:
            app.run()
            return app.switch_page(f"views/{screen}.py").run() if screen else app
        # As a link does: straight to the screen, which takes its widgets' values from the address.
        if screen:
            app.switch_page(f"views/{screen}.py")
        for name, value in query.items():
            app.query_params[name] = value
        return app.run()

    return start
