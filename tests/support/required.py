"""Under LAVENDERTOWN_REQUIRE_ALL no browser or PostgreSQL test may be skipped or missing."""

from __future__ import annotations

import os
from collections import Counter

import pytest

SWITCH = "LAVENDERTOWN_REQUIRE_ALL"
MARKS = ("browser", "postgres")


def note(item: pytest.Item, report: pytest.TestReport) -> None:
    """Write the test's marks into its report, and fail it when it was skipped though it must run."""
    marks = [mark for mark in MARKS if item.get_closest_marker(mark)]
    report.user_properties += [("required", mark) for mark in marks]
    if marks and report.skipped and not hasattr(report, "wasxfail") and os.environ.get(SWITCH):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} is a {' and '.join(marks)} test and must run here. {reason}"


class Count:
    """Counts what passed, on the side that sees every worker's reports, and fails a run without any."""

    def __init__(self) -> None:
        self.passed: Counter[str] = Counter()

    def missing(self) -> list[str]:
        return [mark for mark in MARKS if not self.passed[mark]] if os.environ.get(SWITCH) else []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.passed.update({str(value) for name, value in report.user_properties if name == "required"})

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.missing() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for mark in self.missing():
            terminalreporter.write_line(f"{SWITCH} is set, but no {mark} test passed in this run.", red=True)
