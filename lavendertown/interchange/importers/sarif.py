"""SARIF 2.1.0. A rule on one column, or else on one file, is a finding; its results are counted.

A result that LavenderTown exported is the finding that it was, with its status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lavendertown.core.findings import WHOLE_ROW, GhostFinding
from lavendertown.core.fingerprints import KEPT_FINGERPRINT
from lavendertown.interchange.exports.sarif import FINGERPRINT, PROPERTIES
from lavendertown.interchange.formats import (
    Content,
    ImportFormat,
    read_count,
    read_list,
    read_mapping,
    read_text,
    read_time,
)
from lavendertown.interchange.importers.lavendertown_files import read_checks
from lavendertown.interchange.json_stream import read_items
from lavendertown.interchange.runs import (
    ANNOTATIONS,
    CheckResult,
    Failure,
    ImportedRun,
    RunBuilder,
)
from lavendertown.interchange.sources import ResultFile
from lavendertown.interchange.wording import first_line, guess_ghost_type

_SEVERITIES = {"error": "error", "warning": "warning", "note": "info", "none": "info"}
_ITEMS = (
    "runs/[]/results/[]",
    "runs/[]/tool",
    "runs/[]/automationDetails",
    "runs/[]/invocations",
    f"runs/[]/properties/{PROPERTIES}",
)


def _is_sarif(content: Content) -> bool:
    outline = content.outline
    return outline.has("runs", "version") and (
        "sarif" in outline.texts.get("$schema", "").lower()
        or outline.texts.get("version", "").startswith("2.1")
    )


def _read_sarif(file: ResultFile, descriptions: Sequence[ResultFile]) -> list[ImportedRun]:
    runs: dict[str, _SarifRun] = {}
    dropped = ("codeFlows", "threadFlows", "graphs", "stacks", "fixes", "snippet", "contextRegion")
    for path, value in read_items(file, _ITEMS, (), dropped):
        if path:
            run = runs.setdefault(path[1], _SarifRun())
            if path[2] == "results":
                run.add_result(read_mapping(value))
            else:
                run.properties[path[-1]] = value
    return [run.finish() for run in runs.values()] or [RunBuilder("SARIF").finish()]


class _SarifRun:
    """The results of one run, collected until its tool is known."""

    def __init__(self) -> None:
        self.properties: dict[str, Any] = {}
        # By rule and place: the first result, and the number of results.
        self._found: dict[tuple[str, str, str], tuple[Mapping[str, Any], int]] = {}
        self._passed: set[tuple[str, str]] = set()
        self._not_run: set[tuple[str, str]] = set()
        self._exported: list[GhostFinding] = []

    def add_result(self, result: Mapping[str, Any]) -> None:
        """Add a result of the log."""
        exported_id = read_text(read_mapping(result.get("partialFingerprints")).get(FINGERPRINT))
        if exported_id:
            self._exported.append(_read_exported(result, exported_id))
            return
        rule = read_text(result.get("ruleId")) or read_text(read_mapping(result.get("rule")).get("id"))
        rule = rule or f"#{result.get('ruleIndex', '')}"
        column, uri = _read_place(result)
        kind = read_text(result.get("kind")) or "fail"
        if kind == "pass":
            self._passed.add((rule, column))
        elif kind in ("notApplicable", "informational", "open", "review"):
            self._not_run.add((rule, column))
        elif read_text(result.get("baselineState")) != "absent":
            key = (rule, column, uri)
            first, number = self._found.get(key, (_shorten_result(result), 0))
            self._found[key] = (first, number + 1)

    def finish(self) -> ImportedRun:
        """Return the run with the descriptions of its rules."""
        driver = read_mapping(read_mapping(self.properties.get("tool")).get("driver"))
        invocations = [read_mapping(each) for each in read_list(self.properties.get("invocations"))]
        automation = read_text(read_mapping(self.properties.get("automationDetails")).get("id"))
        listed = [read_mapping(each) for each in read_list(driver.get("rules"))]
        rules = {read_text(rule.get("id")): rule for rule in listed}
        names = {f"#{index}": read_text(rule.get("id")) for index, rule in enumerate(listed)}
        run = RunBuilder(read_text(driver.get("name")) or "SARIF")
        run.tool_version = read_text(driver.get("version")) or read_text(driver.get("semanticVersion"))
        # The id of a run ends after the last slash; before it is the category.
        category, _, run.run_id = automation.rpartition("/")
        run.dataset = category
        times = (each.get(key) for each in invocations for key in ("endTimeUtc", "startTimeUtc"))
        run.ran_at = next(filter(None, map(read_time, times)), None)
        for (rule, column, uri), (result, number) in self._found.items():
            self._add_failure(run, names.get(rule, rule), rules, column, uri, result, number)
        for rule, column in self._passed:
            run.add_pass(_make_check(run.tool, names.get(rule, rule), column))
        for rule, column in self._not_run:
            run.add_not_run(_make_check(run.tool, names.get(rule, rule), column))
        # A rule without results passed, if the run ended well.
        if invocations and all(each.get("executionSuccessful") is True for each in invocations):
            known = {names.get(rule, rule) for rule, _ in self._not_run}
            for rule in rules.keys() - known - {names.get(key[0], key[0]) for key in self._found}:
                run.add_pass(_make_check(run.tool, rule, WHOLE_ROW))
        self._add_crashes(run, invocations)
        return self._with_exported(run.finish())

    def _with_exported(self, run: ImportedRun) -> ImportedRun:
        """Add the findings and the coverage that LavenderTown exported."""
        bag = read_mapping(self.properties.get(PROPERTIES))
        if run.tool != "LavenderTown" and not self._exported:
            return run
        coverage = read_mapping(bag.get("coverage"))
        checks = read_checks(coverage)
        return replace(
            run,
            findings=(*self._exported, *run.findings),
            # The rules are those of the findings, none of which passed.
            passed=tuple(check for check in checks if check.outcome == "passed"),
            errored=(*run.errored, *(check for check in checks if check.outcome == "failed")),
            row_count=read_count(coverage.get("rows")),
        )

    def _add_failure(
        self,
        run: RunBuilder,
        rule: str,
        rules: Mapping[str, Mapping[str, Any]],
        column: str,
        uri: str,
        result: Mapping[str, Any],
        number: int,
    ) -> None:
        description = rules.get(rule, {})
        configuration = read_mapping(description.get("defaultConfiguration"))
        level = read_text(result.get("level")) or read_text(configuration.get("level")) or "warning"
        place = column if column != WHOLE_ROW else uri or WHOLE_ROW
        name = read_text(description.get("name")) or rule
        message = first_line(read_text(result.get("text")))
        detail = message if number == 1 and message else ""
        if not detail:
            title = first_line(read_text(read_mapping(description.get("shortDescription")).get("text")))
            detail = f"{title.rstrip('.') or name}: {number:,} results."
        check = _make_check(run.tool, rule, place)
        severity = _SEVERITIES.get(level, "warning")
        ghost_type = guess_ghost_type(name)
        run.add_failure(Failure(check, ghost_type, severity, number, None, None, None, detail))

    def _add_crashes(self, run: RunBuilder, invocations: Sequence[Mapping[str, Any]]) -> None:
        for invocation in invocations:
            for each in read_list(invocation.get("toolExecutionNotifications")):
                notification = read_mapping(each)
                if notification.get("level") != "error":
                    continue
                descriptor = read_mapping(notification.get("associatedRule")) or read_mapping(
                    notification.get("descriptor")
                )
                rule = read_text(descriptor.get("id")) or "run"
                text = read_text(read_mapping(notification.get("message")).get("text"))
                run.add_error(_make_check(run.tool, rule, WHOLE_ROW), text)


def _read_exported(result: Mapping[str, Any], finding_id: str) -> GhostFinding:
    """Return the finding that LavenderTown exported as this result.

    If another tool has dropped the property bags, the finding keeps its id but has no check.
    """
    bag = read_mapping(read_mapping(result.get("properties")).get(PROPERTIES))
    metadata = dict(read_mapping(bag.get("metadata"))) or {KEPT_FINGERPRINT: finding_id}
    annotation = read_mapping(bag.get("annotation"))
    if annotation:
        metadata[ANNOTATIONS] = [annotation]
    rule = read_text(result.get("ruleId"))
    message = read_text(read_mapping(result.get("message")).get("text"))
    return GhostFinding(
        read_text(bag.get("ghost_type")) or rule.partition("/")[0] or "rule",
        read_text(bag.get("column")) or _read_place(result)[0],
        _SEVERITIES.get(read_text(result.get("level")), "warning"),
        read_text(bag.get("description")) or message,
        None,
        metadata,
    )


def _make_check(tool: str, rule: str, column: str) -> CheckResult:
    return CheckResult(rule, column, {}, f"sarif:{tool}:{rule}")


def _read_place(result: Mapping[str, Any]) -> tuple[str, str]:
    """Return the column of a result, or ``"*"``, and its file."""
    for location in map(read_mapping, read_list(result.get("locations"))):
        logical = [read_mapping(each) for each in read_list(location.get("logicalLocations"))]
        artifact = read_mapping(read_mapping(location.get("physicalLocation")).get("artifactLocation"))
        uri = read_text(artifact.get("uri"))
        for each in logical:
            name = read_text(each.get("name")) or read_text(each.get("fullyQualifiedName"))
            if name:
                return name, uri
        if uri:
            return WHOLE_ROW, uri
    return WHOLE_ROW, ""


def _shorten_result(result: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"level": result.get("level"), "text": read_mapping(result.get("message")).get("text")}


SARIF = ImportFormat("sarif", "a SARIF 2.1 log", _is_sarif, _read_sarif)
