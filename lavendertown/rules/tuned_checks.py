"""Apply a check configuration: which checks run on which columns, with what parameters and expectations.

Parameters of a configuration are settings: they are recorded with the findings, but are not part of their
identity. A finding that a setting no longer reports is neither fixed nor gone: its check was changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any

import narwhals as nw

from lavendertown.core import json_codec
from lavendertown.core.findings import WHOLE_ROW
from lavendertown.detectors import default_detectors
from lavendertown.detectors.base import (
    NOT_CHECKED,
    Detection,
    DetectionSteps,
    Detector,
    NotCompared,
    Outcome,
    Passed,
    Result,
    SwitchedOff,
    join_names,
)
from lavendertown.detectors.columns.dates import Dates
from lavendertown.detectors.columns.types import Types, TypesAndZones
from lavendertown.rules.check_configuration import (
    MAX_SHARE,
    SEVERITY,
    CheckConfiguration,
    CheckSettings,
    ColumnSettings,
)
from lavendertown.rules.checks import RuleCheck
from lavendertown.rules.models import Rule
from lavendertown.rules.parameters import Scalar
from lavendertown.rules.reference_rules import References
from lavendertown.rules.running import create_check
from lavendertown.rules.values import format_scalar, is_one_of
from lavendertown.tables import Column, Table

VALUE_CHECKS = frozenset(each.check for each in default_detectors() if each.checks_values)
"""The checks that leave out allowed values."""

RANGE_CHECKS = ("outliers", "ranges")
"""The checks that an expected range replaces."""

PATTERN_CHECK, NULL_CHECK, KEY_CHECK = "shapes", "nulls", "keys"
_OFF = "it is switched off"


def tune_checks(
    detectors: Iterable[Detector], configuration: CheckConfiguration, table: Table
) -> tuple[Table, list[Detector]]:
    """Return the table and the checks to run on it, as a configuration sets them.

    Args:
        detectors: The checks.
        configuration: What is set.
        table: The table.

    Returns:
        The table, which has further frame columns without allowed values, and the checks, followed by those
        of expected ranges, patterns and unique columns.
    """
    if not configuration.checks and not configuration.columns:
        return table, list(detectors)
    settings = {name: configuration.settings_of_column(name) for name in table.columns}
    table, without_allowed = _mask_allowed_values(table, settings)
    checks: list[Detector] = []
    for detector in detectors:
        view = without_allowed if detector.check in VALUE_CHECKS else table
        checks += _tune_check(detector, configuration, settings, view)
    for name in table.columns:
        checks += _expectations(name, settings[name], table, without_allowed)
    return table, checks


class TunedCheck(Detector):
    """A check with the settings of a configuration, on the columns that they apply to.

    Args:
        detector: The check, with the parameters that are set.
        params: The parameters that are part of the identity of findings.
        settings: What is set, for the metadata of findings.
        table: The table, as the check is to see it.
        columns: The columns to check; None means whole rows.
        off: What is switched off.
        configuration: Says which findings about several columns are switched off.
    """

    def __init__(
        self,
        detector: Detector,
        params: Mapping[str, Any],
        settings: Mapping[str, Any],
        table: Table,
        columns: Sequence[Column | None],
        off: Iterable[SwitchedOff] = (),
        configuration: CheckConfiguration | None = None,
    ) -> None:
        self._detector = detector
        self._params, self._settings = dict(params), dict(settings)
        self._table, self._columns = table, columns
        self._off = list(off)
        self._configuration = configuration or CheckConfiguration()

    @property
    def check(self) -> str:  # type: ignore[override]  # that of the tuned check
        """The name of the check."""
        return self._detector.check

    @property
    def title(self) -> str:  # type: ignore[override]
        """What people call the check."""
        return self._detector.title

    @property
    def needs_rows(self) -> bool:  # type: ignore[override]
        """Whether it is skipped for a table without rows."""
        return self._detector.needs_rows

    @property
    def is_exact(self) -> bool:  # type: ignore[override]
        """Whether it judges all values of a column."""
        return self._detector.is_exact

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the identity."""
        return self._params

    @property
    def settings(self) -> dict[str, Any]:
        """What is set."""
        return self._settings

    @property
    def switched_off(self) -> Sequence[SwitchedOff]:
        """What is switched off; after the run also for several columns together."""
        return self._off

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the columns that the settings apply to."""
        return self._columns

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Run the check, and apply severity, tolerance, and what is switched off for several columns."""
        outcome = yield from self._detector.check_column(self._table, column)
        if outcome is None or outcome is NOT_CHECKED:
            return outcome
        assert isinstance(outcome, (Detection, Sequence))
        results = [outcome] if isinstance(outcome, Detection) else list(outcome)
        kept = [
            self._apply_settings(result) for result in results if not self._is_switched_off(result, column)
        ]
        if isinstance(outcome, Detection):
            return _single_result(kept)
        return kept

    def _apply_settings(self, result: Result) -> Result:
        if not isinstance(result, Detection):
            return result
        if SEVERITY in self._settings:
            result = replace(result, severity=self._settings[SEVERITY])
        accepted = self._settings.get(MAX_SHARE, 0.0) * self._table.row_count
        return Passed(result.columns) if accepted and result.count <= accepted else result

    def _is_switched_off(self, result: Result, column: Column | None) -> bool:
        if column is not None or isinstance(result, NotCompared):
            return False
        name = join_names(result.columns) or WHOLE_ROW
        unique = self._configuration.settings_of_column(name).unique
        if len(result.columns) > 1:
            # A pattern is about single columns, and nothing else checks that several are unique.
            unique = False if self._configuration.column(name).unique is False else None
        reason = ""
        if self._configuration.settings_of_check(self.check, name).enabled is False:
            reason = _OFF
        elif self.check == KEY_CHECK and unique is not None:
            reason = "its values are expected to be unique" if unique else "repeated values are expected"
        if reason:
            self._off.append(SwitchedOff(self.check, name, reason))
        return bool(reason)


class ExpectationCheck(TunedCheck):
    """What is expected of a column, as a rule whose parameters are settings.

    Args:
        rule: The rule, with a range, a pattern or unique values.
        settings: What is set, for the metadata of findings.
        table: The table, without allowed values.
    """

    def __init__(self, rule: Rule, settings: Mapping[str, Any], table: Table) -> None:
        assert rule.column is not None
        check = create_check(rule, References())
        super().__init__(check, {"name": rule.name}, settings, table, [table.column(rule.column)])


def _single_result(kept: Sequence[Result]) -> Outcome:
    if not kept:
        return NOT_CHECKED
    return kept[0] if isinstance(kept[0], Detection) else None


@dataclass(frozen=True)
class _ColumnPlan:
    """How a check runs on columns with the same settings; a reason if it does not run.

    Where :class:`~lavendertown.detectors.Dates` is switched off, the check of types includes what it reports
    of time zones: those times were not converted, so they are missing in all other checks.
    """

    reason: str
    is_enabled: bool | None
    parameters: dict[str, Any]
    settings: dict[str, Any]
    includes_zones: bool
    key: bytes


def _tune_check(
    detector: Detector,
    configuration: CheckConfiguration,
    settings: Mapping[str, ColumnSettings],
    table: Table,
) -> Iterator[Detector]:
    """Return a check once for each group of columns with the same settings."""
    if isinstance(detector, RuleCheck):
        yield detector
        return
    general = configuration.settings_of_check(detector.check)
    dates = configuration.settings_of_check(Dates.check)
    off: list[SwitchedOff] = []
    # Of thousands of columns, most share one object for their settings.
    plans: dict[int, _ColumnPlan] = {}
    groups: dict[bytes, tuple[_ColumnPlan, list[Column | None]]] = {}
    nothing = ColumnSettings()
    # Drift also looks for columns that the table no longer has.
    removed: dict[str, ColumnSettings] = {}
    for column in detector.columns_to_check(table):
        name = column.name if column else ""
        if column is not None and name not in settings and name not in removed:
            removed[name] = configuration.settings_of_column(name)
        set_for = (settings.get(name) or removed[name]) if column else nothing
        if id(set_for) not in plans:
            plans[id(set_for)] = _plan_check(detector, general, dates, set_for)
        plan = plans[id(set_for)]
        if not plan.reason:
            groups.setdefault(plan.key, (plan, []))[1].append(column)
        elif general.enabled is not False or plan.is_enabled:
            off.append(SwitchedOff(detector.check, column.name if column else WHOLE_ROW, plan.reason))
    if general.enabled is False:
        off.append(SwitchedOff(detector.check, "", _OFF))
    for plan, columns in groups.values():
        check = TypesAndZones() if plan.includes_zones else detector
        tuned = _with_parameters(check, plan.parameters)
        yield TunedCheck(tuned, detector.params, plan.settings, table, columns, off, configuration)
        off = []
    if off:
        yield TunedCheck(detector, detector.params, {}, table, [], off)


def _plan_check(
    detector: Detector, general: CheckSettings, dates: CheckSettings, expected: ColumnSettings
) -> _ColumnPlan:
    check = detector.check
    set_for = general.with_settings_over(expected.checks.get(check, CheckSettings()))
    parameters = dict(set_for.parameters)
    has_allowed = check in VALUE_CHECKS and bool(expected.allowed)
    settings = {**parameters, **({"allowed": list(expected.allowed)} if has_allowed else {})}
    reason = _OFF if set_for.enabled is False else _reason_to_skip(check, expected)
    has_dates = dates.with_settings_over(expected.checks.get(Dates.check, CheckSettings())).enabled
    includes_zones = isinstance(detector, Types) and has_dates is False
    if includes_zones:
        settings[Dates.check] = False  # What the check finds depends on it.
    key = json_codec.dumps_canonical(settings)
    return _ColumnPlan(reason, set_for.enabled, parameters, settings, includes_zones, key)


def _reason_to_skip(check: str, expected: ColumnSettings) -> str:
    """Return why a check has nothing to say about a column; empty if it has."""
    if check == NULL_CHECK and expected.optional:
        return "empty values are expected"
    if check in RANGE_CHECKS and expected.has_range:
        return "a range is expected, which is checked instead"
    if check == PATTERN_CHECK and expected.pattern:
        return "a pattern is expected, which is checked instead"
    return ""


def _with_parameters(detector: Detector, parameters: Mapping[str, Any]) -> Detector:
    own = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in parameters.items()
        if name not in (SEVERITY, MAX_SHARE)
    }
    return replace(detector, **own) if own else detector  # type: ignore[type-var]  # a dataclass


def _expectations(
    column: str, settings: ColumnSettings, table: Table, without_allowed: Table
) -> Iterator[ExpectationCheck]:
    """Return the checks of what is expected of a column: its range, its pattern, unique values."""
    allowed = {"allowed": list(settings.allowed)} if settings.allowed else {}
    if settings.has_range:
        bounds = {"min_value": settings.low, "max_value": settings.high}
        given = {name: bound for name, bound in bounds.items() if bound is not None}
        rule = Rule(f"Expected range of {column}", "", "range", column, given)
        yield ExpectationCheck(rule, {**given, **allowed}, without_allowed)
    if settings.pattern:
        given = {"pattern": settings.pattern, "match": "full"}
        rule = Rule(f"Expected form of {column}", "", "regex", column, given)
        yield ExpectationCheck(rule, {"pattern": settings.pattern, **allowed}, without_allowed)
    if settings.unique:
        yield ExpectationCheck(Rule(f"Unique values of {column}", "", "unique", column), {}, table)


def _mask_allowed_values(table: Table, settings: Mapping[str, ColumnSettings]) -> tuple[Table, Table]:
    """Return the table with further frame columns, and as checks of single values see it.

    In the latter, allowed values are missing.
    """
    schema, masked = list(table.schema), []
    for column in table.schema:
        allowed = settings[column.name].allowed
        hit = _is_allowed(table, column, allowed) if allowed and column.kind != "other" else None
        if hit is None:
            continue
        keys = [column.key, column.text_key, column.errors_key, column.kinds_key]
        masked += [nw.when(~hit).then(nw.col(key)).alias(_checked(key)) for key in keys if key]
        schema[column.position] = replace(
            column,
            key=_checked(column.key),
            text_key=column.text_key and _checked(column.text_key),
            errors_key=column.errors_key and _checked(column.errors_key),
            kinds_key=column.kinds_key and _checked(column.kinds_key),
        )
    if not masked:
        return table, table
    wider = replace(table, frame=table.frame.with_columns(*masked))
    return wider, replace(wider, schema=tuple(schema))


def _checked(key: str) -> str:
    return f"{key}_checked"


def _is_allowed(table: Table, column: Column, allowed: Sequence[Scalar]) -> nw.Expr | None:
    """Return whether a cell is one of the allowed values, as the column holds it or as it was written."""
    listed = is_one_of(table, column, allowed)
    conditions = [] if listed is None else [listed]
    texts = [format_scalar(value) for value in allowed]
    conditions += [nw.col(key).is_in(texts) for key in (column.text_key, column.errors_key) if key]
    return reduce(or_, (each.fill_null(False) for each in conditions)) if conditions else None
