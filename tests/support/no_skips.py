"""Fail skipped or missing browser and PostgreSQL tests if LAVENDERTOWN_REQUIRE_ALL is set."""

from __future__ import annotations

import os
from collections import Counter

import pytest

VARIABLE = "LAVENDERTOWN_REQUIRE_ALL"
MARKS = ("browser", "postgres")


def record_required_marks(item: pytest.Item, report: pytest.TestReport) -> None:
    """Add the marks of a test to its report, and fail the test if it was skipped but is required."""
    marks = [mark for mark in MARKS if item.get_closest_marker(mark)]
    report.user_properties += [("required", mark) for mark in marks]
    if marks and report.skipped and not hasattr(report, "wasxfail") and os.environ.get(VARIABLE):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} is a {' and '.join(marks)} test and must run here. {reason}"


class RequiredTestCounter:
    """Count the passed tests of all workers, and fail a run in which no test of a required mark passed."""

    def __init__(self) -> None:
        self.passed: Counter[str] = Counter()

    def missing_marks(self) -> list[str]:
        return [mark for mark in MARKS if not self.passed[mark]] if os.environ.get(VARIABLE) else []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.passed.update({str(value) for name, value in report.user_properties if name == "required"})

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.missing_marks() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for mark in self.missing_marks():
            terminalreporter.write_line(
                f"{VARIABLE} is set, but no {mark} test passed in this run.", red=True
            )
