"""JUnit XML, which most test runners write. A test case is a check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lavendertown.interchange.formats import Content, ImportFormat, iterate_xml, local_name, read_time
from lavendertown.interchange.runs import CheckResult, Failure, ImportedRun, RunBuilder
from lavendertown.interchange.sources import ImportFileError, ResultFile
from lavendertown.interchange.wording import first_line, guess_ghost_type, shorten

_MAX_DEPTH = 60


def _is_report(content: Content) -> bool:
    return content.root_tag in ("testsuites", "testsuite")


def _read_report(file: ResultFile, descriptions: Sequence[ResultFile]) -> list[ImportedRun]:
    run = RunBuilder("JUnit")
    suites: list[str] = []
    depth = 0
    for event, element in iterate_xml(file, ("start", "end")):
        tag = local_name(element.tag)
        depth += 1 if event == "start" else -1
        if depth > _MAX_DEPTH:
            raise ImportFileError(
                f"{file.name} is nested more than {_MAX_DEPTH} times; export the results again."
            )
        if event == "start" and tag in ("testsuite", "testsuites"):
            run.ran_at = run.ran_at or read_time(element.get("timestamp"))
            if tag == "testsuites":
                run.dataset = _clean_name(element)
            else:
                suites.append(_clean_name(element))
        elif event == "end" and tag == "testcase":
            _add_case(run, element)
        if event == "end" and tag in ("testcase", "testsuite", "system-out", "system-err", "properties"):
            element.clear()
    run.dataset = run.dataset or (suites[0] if len(suites) == 1 else "")
    return [run.finish()]


def _clean_name(element: Any) -> str:
    return shorten(element.get("name") or "")


def _add_case(run: RunBuilder, element: Any) -> None:
    name = _clean_name(element) or "test without a name"
    group = shorten(element.get("classname") or "")
    check = CheckResult(name, check_id=f"junit:{group}:{name}")
    children = {local_name(child.tag): child for child in element}
    if "error" in children:
        run.add_error(check, _read_message(children["error"]))
    elif "failure" in children:
        reason = first_line(_read_message(children["failure"]))
        subject = f"The check {name} failed"
        detail = f"{subject}: {reason}" if reason else f"{subject}."
        run.add_failure(Failure(check, guess_ghost_type(name), detail=detail))
    elif "skipped" in children or element.get("status") in ("notrun", "disabled"):
        run.add_not_run(check)
    else:
        run.add_pass(check)


def _read_message(element: Any) -> str:
    return str(element.get("message") or element.text or "")


REPORT = ImportFormat("junit", "a JUnit XML report", _is_report, _read_report)
