"""The inspector: runs checks on a table and returns findings."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lavendertown import tables
from lavendertown.core import json_codec
from lavendertown.core.dataset_names import dataset_name
from lavendertown.core.errors import InvalidInputError
from lavendertown.core.file_limits import FileLimits, limits_from_settings
from lavendertown.core.findings import GhostFinding
from lavendertown.core.reading import DETECT
from lavendertown.core.run_readings import describe_reading
from lavendertown.core.settings import load_settings
from lavendertown.detectors import Detector, default_detectors
from lavendertown.detectors.base import SwitchedOff
from lavendertown.detectors.runner import CheckResult, Progress, run_detectors
from lavendertown.drift.baseline import Baseline, MissingBaseline
from lavendertown.drift.compare import (
    DEFAULT_PERCENT,
    ComparisonType,
    compare_datasets,
    create_drift_checks,
    open_baseline,
)
from lavendertown.profile.evidence import Evidence
from lavendertown.profile.measure import measure_table
from lavendertown.rules.check_configuration import CheckConfiguration, read_check_configuration
from lavendertown.rules.models import Rule, RuleSet
from lavendertown.rules.reference_rules import References
from lavendertown.rules.ruleset_files import read_ruleset_file
from lavendertown.rules.running import create_checks
from lavendertown.rules.tuned_checks import tune_checks
from lavendertown.tables import Reading, Table
from lavendertown.tables.engines.engine_choice import (
    EngineChoice,
    check_engine,
    open_frame,
    open_on_duckdb,
    read_parts_on,
)
from lavendertown.tables.files import PART_SIGN, split_part
from lavendertown.tables.sources.part_files import find_matching_files, is_pattern, list_data_files
from lavendertown.tables.sources.remote_files import is_remote_url, read_remote_table
from lavendertown.tables.value_settings import apply_value_settings

_NOT_ON_DUCKDB = "DuckDB reads Parquet files by their path only; pass a path, or leave out engine='duckdb'."


class Inspector:
    """Runs checks on a frame or a data file.

    Args:
        data: A pandas or Polars frame, an Arrow table, a relation of DuckDB, a
            :class:`~lavendertown.tables.Table`, the path of a data file or of a database file with one table,
            ``shop.db::orders`` or ``orders.zip::may.csv`` for one of several tables, a folder of data files
            or a pattern such as ``orders/*.parquet``, the URL of a data file (``https://``, ``s3://``,
            ``gs://``), or a pair ``(file or bytes, file name)``.
        dataset: The dataset that the data is a delivery of; findings keep their identity within it.
            Default: the file name without its ending, dates and sequence numbers; None for frames.
        detectors: The checks; all of them by default.
        progress: Called as ``progress(done, total, text)`` while checks run. An exception that it
            raises ends the run and is passed on; the results of that run are discarded.
        limits: The maximum size of a data file; taken from the settings by default.
        reading: How to read the data, for what is not to be detected. Of frames it sets the types of columns,
            words for missing values, and the notation of dates and numbers in text columns; other settings
            are named in ``table.guesses`` as not used.
        key: The columns that identify a row; they name the sample rows of findings. Default: the first
            column whose values are all different, or nearly all if its name is that of an identifier.
        rules: Rules to check besides: a rule set, rules, or the path of a rule file (YAML or JSON). A rule
            that cannot run is a finding of type ``check_error``.
        checks: The check configuration: which checks run, their parameters, what is expected of columns, and
            more rules; also its values as a mapping, or the path of a file (YAML or JSON).
        references: The tables that rules of type ``reference`` name: frames or paths by name. Other names are
            paths of data files, relative to the folder of the rule file, or the current folder.
        compare_to: What to compare the table with, to find what has drifted: a frame, a table, a path, the
            evidence of an earlier report, or a :class:`lavendertown.drift.Baseline`. With a
            :class:`lavendertown.drift.MissingBaseline`, the coverage says that nothing was compared.
        engine: What computes: ``polars`` in memory, ``duckdb`` for Parquet files and relations of DuckDB,
            or ``auto``, which takes DuckDB if they are large. ``table.engine`` says why.

    Attributes:
        table: The parsed data, with ``guesses``, ``columns``, ``row_count`` and ``rows()``.
        dataset: The dataset.
        findings: The findings of the last :meth:`detect`; None before the first.
        checks: The checks that the last :meth:`detect` ran, with their outcomes.
        ruleset: The rules that are checked besides; None without rules.
        baseline: What the table is compared with; None without a comparison.
        configuration: The check configuration.

    Raises:
        UnreadableTableError: The file cannot be read as a table, or does not fit ``reading``.
        FileLimitError: The file exceeds a limit.
        InvalidInputError: ``data`` is of a type that cannot be inspected, or has no column of a name in
            ``key``; the rule file cannot be read; the check configuration is not possible.
    """

    def __init__(
        self,
        data: Any,
        *,
        dataset: str | None = None,
        detectors: Sequence[Detector] | None = None,
        progress: Progress | None = None,
        limits: FileLimits | None = None,
        reading: Reading | None = None,
        key: Sequence[str] = (),
        rules: RuleSet | Sequence[Rule] | str | Path | None = None,
        checks: CheckConfiguration | Mapping[str, Any] | str | Path | None = None,
        references: Mapping[str, Any] | References | None = None,
        compare_to: Any = None,
        engine: EngineChoice = "auto",
    ) -> None:
        self.table: Table = _open_table(data, limits, reading or Reading(), engine)
        name = self.table.name
        self.dataset = dataset if dataset is not None else (dataset_name(name) if name else None)
        self.findings: list[GhostFinding] | None = None
        self.checks: list[CheckResult] = []
        self._key = list(key)
        for column in self._key:
            self.table.column(column)
        self.configuration = _read_checks(checks)
        self.ruleset = _add_rules(_read_rules(rules), self.configuration)
        self._detectors = list(default_detectors() if detectors is None else detectors)
        if self.ruleset is not None:
            file = next((each for each in (rules, checks) if isinstance(each, (str, Path))), None)
            folder = Path(file).parent if file is not None else Path()
            known = (
                references
                if isinstance(references, References)
                else References(references or {}, folder, limits or limits_from_settings(load_settings()))
            )
            self._detectors += create_checks(self.ruleset.rules, known)
        self.baseline: Baseline | None = None
        self._not_compared = compare_to.reason if isinstance(compare_to, MissingBaseline) else ""
        if compare_to is not None and not self._not_compared:
            self.baseline = open_baseline(compare_to, limits)
            self._detectors += create_drift_checks(self.baseline)
        self._progress = progress
        self._switched_off: list[SwitchedOff] = []
        self._seconds = 0.0

    def detect(self) -> list[GhostFinding]:
        """Run the checks and return the findings, most severe first."""
        start = time.perf_counter()
        table, detectors = tune_checks(self._detectors, self.configuration, self.table)
        findings, checks = run_detectors(table, detectors, self._progress, dataset=self.dataset)
        self._switched_off = [each for detector in detectors for each in detector.switched_off]
        self.findings, self.checks = findings, checks
        self._seconds = time.perf_counter() - start
        return findings

    def compare_with_baseline(
        self,
        baseline_df: Any,
        comparison_type: ComparisonType = "full",
        distribution_threshold: float = DEFAULT_PERCENT,
    ) -> list[GhostFinding]:
        """Return the findings of :meth:`detect`, and after them what has drifted since another table.

        To save what has drifted with a report, name the other table as ``compare_to`` instead.

        Args:
            baseline_df: The table before.
            comparison_type: As in :func:`lavendertown.drift.compare_datasets`.
            distribution_threshold: As there.
        """
        drifted = compare_datasets(baseline_df, self.table, comparison_type, distribution_threshold)
        return [*(self.detect() if self.findings is None else self.findings), *drifted]

    def coverage(self) -> dict[str, Any]:
        """Return a summary of the checks that ran, as plain JSON for a report's metadata.

        Keys: ``rows``, ``columns``, ``column_names``, ``checks_run``, ``passed``, ``failed``,
        ``seconds``, ``guesses``, ``ran``, a list of ``{check, column, params, outcome}`` with ``settings``
        where there are some and ``values_capped`` if it only looked at the most frequent values, and
        ``reading``, how the table was read: ``{digest, given, used, kinds}``. With a choice of engines,
        ``engine`` has its ``name`` and the ``reason``. Checks that it cannot run, and columns that a check
        left out because it compares a limited number, are in ``not_run``, a list of
        ``{check, column, reason}``, and not in ``ran``. If checks are switched off, ``switched_off`` is a
        list of ``{check, column, reason}``; an empty column means all. With a baseline also ``compared_to``,
        and an entry in ``not_run`` without ``column`` if there was nothing to compare with. Runs the checks
        first if :meth:`detect` was not called yet.
        """
        if self.findings is None:
            self.detect()
        ran = [check for check in self.checks if check.outcome != "not_run"]
        outcomes = [check.outcome for check in ran]
        coverage = {
            "rows": self.table.row_count,
            "columns": len(self.table.columns),
            "column_names": list(self.table.columns),
            "checks_run": len(outcomes),
            "passed": outcomes.count("passed"),
            "failed": outcomes.count("failed"),
            "seconds": round(self._seconds, 3),
            "guesses": self.table.guesses,
            "reading": describe_reading(
                self.table.given,
                self.table.reading,
                {column.name: column.kind for column in self.table.schema},
            ),
            "ran": [check.to_dict() for check in ran],
        }
        if self.table.engine.reason:
            coverage["engine"] = {"name": self.table.engine.name, "reason": self.table.engine.reason}
        if self.baseline is not None:
            coverage["compared_to"] = self.baseline.describe()
        not_run = [
            {"check": check.check, "column": check.column, "reason": check.reason}
            for check in self.checks
            if check.outcome == "not_run"
        ]
        if self._not_compared:
            not_run.append({"check": "drift", "reason": self._not_compared})
        if not_run:
            coverage["not_run"] = not_run
        if self._switched_off:
            coverage["switched_off"] = [vars(each) for each in self._switched_off]
        return json_codec.to_jsonable(coverage, "coverage")  # type: ignore[no-any-return]

    def evidence(self) -> Evidence:
        """Return the column profiles, and sample rows of each finding by its position in the findings.

        Values are not masked; saving it with a report does that. Runs the checks first if :meth:`detect` was
        not called yet.
        """
        findings = self.detect() if self.findings is None else self.findings
        return measure_table(self.table, findings, self._key)

    def render(self) -> None:
        """Show the findings in the calling Streamlit app."""
        from lavendertown.ui.inline import render_inspector

        render_inspector(self)


def _read_rules(rules: RuleSet | Sequence[Rule] | str | Path | None) -> RuleSet | None:
    if rules is None or isinstance(rules, RuleSet):
        return rules
    return read_ruleset_file(Path(rules)) if isinstance(rules, (str, Path)) else RuleSet("", "", list(rules))


def _read_checks(checks: CheckConfiguration | Mapping[str, Any] | str | Path | None) -> CheckConfiguration:
    if isinstance(checks, (str, Path)):
        checks = read_check_configuration(Path(checks))
    found = checks if isinstance(checks, CheckConfiguration) else CheckConfiguration.from_dict(checks)
    if found.rule_sets:
        raise InvalidInputError(
            f"The check configuration names the stored rule sets {', '.join(found.rule_sets)}, which only "
            "`lavendertown analyze` and the dashboard can look up. Write their rules below 'rules'."
        )
    return found


def _add_rules(ruleset: RuleSet | None, configuration: CheckConfiguration) -> RuleSet | None:
    """Return the rules with those of the configuration; one of the same name is left out."""
    if not configuration.rules:
        return ruleset
    given = ruleset or RuleSet("", "")
    names = {rule.name for rule in given.rules}
    added = [rule for rule in configuration.rules if rule.name not in names]
    return RuleSet(given.name, given.description, [*given.rules, *added])


def _open_table(data: Any, limits: FileLimits | None, reading: Reading, engine: EngineChoice) -> Table:
    check_engine(engine)
    if isinstance(data, Table):
        _check_engine_of_table(data, engine)
        return (
            data if reading == DETECT else apply_value_settings(data, reading, "a table that is read already")
        )
    limits = limits or limits_from_settings(load_settings())
    is_pair = isinstance(data, tuple) and len(data) == 2
    if not (is_pair or isinstance(data, (str, Path, bytes)) or hasattr(data, "read")):
        if reading != DETECT and engine == "auto":
            engine = "polars"
        return apply_value_settings(open_frame(data, limits, engine), reading, "a frame")
    if isinstance(data, (str, Path)) and not is_remote_url(str(data)):
        return _open_path(str(data), limits, reading, engine)
    if engine == "duckdb":
        raise InvalidInputError(_NOT_ON_DUCKDB)
    if isinstance(data, str):
        return read_remote_table(data, limits, reading)
    file, name = data if is_pair else (data, None)
    return tables.read_table(file, name, limits, reading)


def _open_path(source: str, limits: FileLimits, reading: Reading, engine: EngineChoice) -> Table:
    if is_pattern(source) and PART_SIGN not in source:
        return read_parts_on(find_matching_files(source), None, limits, reading, engine)
    path, part = split_part(source)
    if part is not None:
        if engine == "duckdb":
            raise InvalidInputError(_NOT_ON_DUCKDB)
        return tables.read_table(path, None, limits, reading, member=part)
    if path.is_dir():
        return read_parts_on(list_data_files(path), path.resolve().name, limits, reading, engine)
    found = open_on_duckdb([path], path.name, limits, reading, engine)
    return tables.read_table(path, None, limits, reading) if found is None else found


def _check_engine_of_table(table: Table, engine: EngineChoice) -> None:
    if engine not in ("auto", table.engine.name):
        raise InvalidInputError(
            f"The table is on {table.engine.name} already; leave out engine={engine!r}, or pass what it "
            "was read from."
        )
