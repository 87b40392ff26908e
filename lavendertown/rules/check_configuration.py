"""The check configuration of a dataset: checks switched on and off, their parameters, expectations and rules.

One format for files, the storage and the screens:

.. code-block:: yaml

    checks:
      near_duplicates: false
      outliers: {k: 4, severity: info}
    columns:
      discount: {optional: true}
      age: {allowed: [-1], range: {min: 0, max: 120}}
      "*_note": {checks: {shapes: false}}
    rules:
    - {name: order is the key, rule_type: unique, column: order}
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.findings import SEVERITIES
from lavendertown.detectors import Detector, default_detectors
from lavendertown.drift.checks import DriftCheck
from lavendertown.drift.compare import DRIFT_CHECKS
from lavendertown.rules.models import Rule
from lavendertown.rules.parameters import Scalar
from lavendertown.rules.ruleset_files import build_ruleset, parse_yaml, read_text_file

ENABLED, SEVERITY, MAX_SHARE = "enabled", "severity", "max_share"
COMMON_PARAMETERS = (SEVERITY, MAX_SHARE)
"""Parameters that every check takes: the severity of its findings, and the share of rows it accepts."""

_KEYS = ("checks", "columns", "rules", "rule_sets")
_COLUMN_KEYS = ("optional", "allowed", "range", "unique", "pattern", "checks")
_SHARES = ("threshold", "min_coverage", MAX_SHARE)
_SWITCHES: dict[object, bool] = {True: True, False: False, "on": True, "off": False}
_MAX_NAMED = 12


@dataclass(frozen=True)
class CheckSettings:
    """What is set for one check.

    Attributes:
        enabled: Whether it runs; None leaves that to the settings for all columns, and by default it runs.
        parameters: Its parameters that are set.
    """

    enabled: bool | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def with_settings_over(self, over: CheckSettings) -> CheckSettings:
        """Return these settings with others that take precedence."""
        enabled = self.enabled if over.enabled is None else over.enabled
        return CheckSettings(enabled, {**self.parameters, **over.parameters})

    def to_value(self) -> Any:
        """Return the settings as in a file: ``False``, or a mapping."""
        if self.parameters:
            return {**({} if self.enabled is None else {ENABLED: self.enabled}), **self.parameters}
        return {} if self.enabled is None else self.enabled


@dataclass(frozen=True)
class ColumnSettings:
    """What is expected of a column, and what is set for checks of it.

    Attributes:
        optional: Whether empty values are expected.
        allowed: Values that no check of single values reports.
        low, high: The expected range, both inclusive; None for an open end.
        unique: Whether values are expected to be unique; False if repeated values are expected.
        pattern: The regular expression that whole values are expected to match.
        checks: Settings of checks for this column.
    """

    optional: bool | None = None
    allowed: tuple[Scalar, ...] = ()
    low: Scalar | None = None
    high: Scalar | None = None
    unique: bool | None = None
    pattern: str | None = None
    checks: Mapping[str, CheckSettings] = field(default_factory=dict)

    @property
    def has_range(self) -> bool:
        """Whether a range is expected."""
        return self.low is not None or self.high is not None

    def with_settings_over(self, over: ColumnSettings) -> ColumnSettings:
        """Return these settings with others that take precedence; allowed values add up."""
        low, high = (over.low, over.high) if over.has_range else (self.low, self.high)
        return ColumnSettings(
            self.optional if over.optional is None else over.optional,
            tuple(dict.fromkeys([*self.allowed, *over.allowed])),
            low,
            high,
            self.unique if over.unique is None else over.unique,
            over.pattern or self.pattern,
            _merge_checks(self.checks, over.checks),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as in a file, without those that are not set."""
        bounds = {name: value for name, value in (("min", self.low), ("max", self.high)) if value is not None}
        values: dict[str, Any] = {
            "optional": self.optional,
            "allowed": list(self.allowed) or None,
            "range": bounds or None,
            "unique": self.unique,
            "pattern": self.pattern,
            "checks": _checks_to_dict(self.checks) or None,
        }
        return {name: value for name, value in values.items() if value is not None}


_NOTHING = ColumnSettings()


@dataclass(frozen=True)
class CheckConfiguration:
    """What a team set for the checks of a dataset.

    Attributes:
        checks: Settings of checks, by their names.
        columns: Settings of columns, by their names or patterns such as ``*_note``. A finding about several
            columns has their names joined by commas. Of several that match, a later one takes precedence,
            and the exact name over patterns.
        rules: Rules that are checked besides.
        rule_sets: The names of stored rule sets whose rules are checked besides.
    """

    checks: Mapping[str, CheckSettings] = field(default_factory=dict)
    columns: Mapping[str, ColumnSettings] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    rule_sets: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, data: Any, place: str = "The check configuration") -> CheckConfiguration:
        """Read a configuration from JSON values.

        Args:
            data: What :meth:`to_dict` returns, or the content of a file.
            place: The name of the file, for messages.

        Raises:
            InvalidInputError: A check, a parameter or a value is not possible. The message is a sentence.
        """
        if data is None:
            return cls()
        values = _read_mapping(data, place, "keys such as checks, columns and rules")
        _refuse_other_keys(values, (*_KEYS, "name", "description"), place, "key")
        columns = _read_mapping(
            _or_empty(values.get("columns"), {}), f"{place}: 'columns'", "column names with settings"
        )
        rules = build_ruleset({"rules": _or_empty(values.get("rules"), [])}, place).rules
        return cls(
            _read_checks(values.get("checks"), place),
            {str(name): _read_column(each, f"{place}, column {name}") for name, each in columns.items()},
            tuple(rules),
            _read_texts(
                _or_empty(values.get("rule_sets"), []),
                f"{place}: 'rule_sets'",
                "names of stored rule sets",
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as JSON values, without what is not set."""
        columns = {name: each.to_dict() for name, each in self.columns.items()}
        values: dict[str, Any] = {
            "checks": _checks_to_dict(self.checks),
            "columns": {name: each for name, each in columns.items() if each},
            "rules": [rule.to_dict() for rule in self.rules],
            "rule_sets": list(self.rule_sets),
        }
        return {name: value for name, value in values.items() if value}

    def with_settings_over(self, over: CheckConfiguration) -> CheckConfiguration:
        """Return this configuration with another that takes precedence, such as that of a run.

        A rule of the same name is replaced.
        """
        columns = dict(self.columns)
        for name, settings in over.columns.items():
            # Later, so that it takes precedence over patterns that match the same column.
            before = columns.pop(name, ColumnSettings())
            columns[name] = before.with_settings_over(settings)
        replaced = {rule.name for rule in over.rules}
        rules = (*(rule for rule in self.rules if rule.name not in replaced), *over.rules)
        rule_sets = tuple(dict.fromkeys([*self.rule_sets, *over.rule_sets]))
        return CheckConfiguration(_merge_checks(self.checks, over.checks), columns, rules, rule_sets)

    def with_column(self, name: str, settings: ColumnSettings) -> CheckConfiguration:
        """Return the configuration with other settings of a column."""
        columns = {**self.columns, name: settings}
        return replace(self, columns={key: each for key, each in columns.items() if each.to_dict()})

    def with_check(self, check: str, settings: CheckSettings) -> CheckConfiguration:
        """Return the configuration with other settings of a check for all columns."""
        checks = {**self.checks, check: settings}
        return replace(self, checks={name: each for name, each in checks.items() if each != CheckSettings()})

    def column(self, name: str) -> ColumnSettings:
        """Return what is set for exactly this name, without patterns."""
        return self.columns.get(name, ColumnSettings())

    def settings_of_column(self, name: str) -> ColumnSettings:
        """Return what applies to a column, by its name and the patterns that match it."""
        matching = [each for key, each in self.columns.items() if key != name and fnmatchcase(name, key)]
        matching += [self.columns[name]] if name in self.columns else []
        return functools.reduce(ColumnSettings.with_settings_over, matching) if matching else _NOTHING

    def settings_of_check(self, check: str, column: str | None = None) -> CheckSettings:
        """Return what applies to a check, of a column if one is given."""
        general = self.checks.get(check, CheckSettings())
        if column is None:
            return general
        return general.with_settings_over(self.settings_of_column(column).checks.get(check, CheckSettings()))

    def unmatched_columns(self, columns: Iterable[str]) -> list[str]:
        """Return the column names in the configuration that are neither a column nor a pattern of one.

        Names of several columns, joined by commas, are left out.
        """
        names = list(columns)
        return [
            key
            for key in self.columns
            if key not in names and ", " not in key and not any(fnmatchcase(name, key) for name in names)
        ]


def read_check_configuration(path: Path) -> CheckConfiguration:
    """Read a check configuration from a YAML or JSON file; a rule file is one, too.

    Raises:
        InvalidInputError: The file cannot be read, or is not a check configuration. The message names the
            place.
    """
    return CheckConfiguration.from_dict(parse_yaml(read_text_file(path), path.name), path.name)


@functools.cache
def known_checks() -> Mapping[str, type[Detector]]:
    """Return all checks, those of drift last, by their names."""
    checks = [*(type(detector) for detector in default_detectors()), *DRIFT_CHECKS]
    return {each.check: each for each in checks}


def parameters_of(check: str) -> dict[str, Any]:
    """Return the names and defaults of the parameters of a check, without those that every check takes."""
    fields = dataclasses.fields(known_checks()[check])  # type: ignore[arg-type]
    # What drift is measured against has no default.
    return {each.name: each.default for each in fields if each.default is not dataclasses.MISSING}


def read_parameter(check: str, name: str, value: Any, place: str) -> Any:
    """Return the value of a parameter of a check.

    Raises:
        InvalidInputError: The check has no such parameter, or the value is of another type.
    """
    known = {**parameters_of(check), SEVERITY: "", MAX_SHARE: 0.0}
    if name not in known:
        _refuse_other_keys([name], list(known), f"{place}, check {check}", "parameter")
    if name == SEVERITY:
        if value not in SEVERITIES:
            raise InvalidInputError(
                f"{place}, check {check}: severity {value!r} is unknown; use one of {', '.join(SEVERITIES)}."
            )
        return value
    if isinstance(known[name], tuple):
        return list(_read_texts(value, f"{place}, check {check}: {name!r}", "column names"))
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    # A threshold of drift is an effect size, which may be above 1.
    is_share = name in _SHARES and not (name == "threshold" and issubclass(known_checks()[check], DriftCheck))
    if is_share and not (is_number and 0 <= value <= 1):
        raise InvalidInputError(f"{place}, check {check}: {name} must be a share from 0 to 1, not {value!r}.")
    if not is_number or value < 0:
        raise InvalidInputError(
            f"{place}, check {check}: {name} must be a number that is not negative, not {value!r}."
        )
    if name == "factor" and value <= 1:
        raise InvalidInputError(f"{place}, check {check}: factor must be above 1, not {value!r}.")
    return value


def _or_empty(value: Any, empty: Any) -> Any:
    """Return a section of a configuration, empty if it is not given; any other value is checked."""
    return empty if value is None else value


def _read_checks(data: Any, place: str) -> dict[str, CheckSettings]:
    checks = _read_mapping(_or_empty(data, {}), f"{place}: 'checks'", "names of checks with settings")
    _refuse_other_keys(checks, list(known_checks()), place, "check")
    return {name: _read_check(name, value, place) for name, value in checks.items()}


def _read_check(check: str, value: Any, place: str) -> CheckSettings:
    if isinstance(value, (bool, str)):
        if value not in _SWITCHES:
            raise InvalidInputError(
                f"{place}, check {check}: write true, false or its parameters, not {value!r}."
            )
        return CheckSettings(_SWITCHES[value])
    given = _read_mapping(
        {} if value is None else value, f"{place}, check {check}", "true, false or parameters"
    )
    enabled = given.get(ENABLED)
    if enabled is not None and not isinstance(enabled, bool):
        raise InvalidInputError(f"{place}, check {check}: 'enabled' must be true or false, not {enabled!r}.")
    parameters = {
        name: read_parameter(check, name, each, place) for name, each in given.items() if name != ENABLED
    }
    return CheckSettings(enabled, parameters)


def _read_column(data: Any, place: str) -> ColumnSettings:
    values = _read_mapping({} if data is None else data, place, "settings such as {optional: true}")
    _refuse_other_keys(values, _COLUMN_KEYS, place, "key")
    for name in ("optional", "unique"):
        if values.get(name) is not None and not isinstance(values[name], bool):
            raise InvalidInputError(f"{place}: {name!r} must be true or false, not {values[name]!r}.")
    low, high = _read_range(values.get("range"), place)
    return ColumnSettings(
        values.get("optional"),
        _read_allowed(values.get("allowed"), place),
        low,
        high,
        values.get("unique"),
        _read_pattern(values.get("pattern"), place),
        _read_checks(values.get("checks"), place),
    )


def _read_allowed(value: Any, place: str) -> tuple[Scalar, ...]:
    values = [] if value is None else value
    if not isinstance(values, (list, tuple)) or not all(
        isinstance(each, (str, int, float, bool)) for each in values
    ):
        raise InvalidInputError(f"{place}: 'allowed' must be a list of texts, numbers, true or false.")
    return tuple(values)


def _read_range(value: Any, place: str) -> tuple[Scalar | None, Scalar | None]:
    bounds = _read_mapping({} if value is None else value, f"{place}: 'range'", "min and max")
    _refuse_other_keys(bounds, ("min", "max"), f"{place}: 'range'", "key")
    low, high = bounds.get("min"), bounds.get("max")
    for bound in (low, high):
        is_number = isinstance(bound, (int, float)) and not isinstance(bound, bool) and math.isfinite(bound)
        is_possible = isinstance(bound, str) or is_number
        if bound is not None and not is_possible:
            raise InvalidInputError(f"{place}: 'range' must be of numbers or dates, not {bound!r}.")
    if value is not None and low is None and high is None:
        raise InvalidInputError(f"{place}: 'range' needs min, max or both.")
    if low is not None and high is not None:
        if isinstance(low, str) != isinstance(high, str):
            raise InvalidInputError(f"{place}: 'range' must be of two numbers or of two dates.")
        if low > high:
            raise InvalidInputError(f"{place}: 'range' has a min above its max: {low} and {high}.")
    return low, high


def _read_pattern(value: Any, place: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise InvalidInputError(f"{place}: 'pattern' must be a regular expression, not {value!r}.")
    try:
        re.compile(value)
    except re.error as error:
        raise InvalidInputError(
            f"{place}: the pattern {value!r} is not a regular expression: {error.msg}."
        ) from error
    return value


def _read_texts(value: Any, place: str, what: str) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) for each in value):
        raise InvalidInputError(f"{place} must be a list of {what}, not {value!r}.")
    return tuple(value)


def _read_mapping(value: Any, place: str, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"{place} must have {what}, not {value!r}.")
    return value


def _refuse_other_keys(given: Iterable[Any], known: Sequence[str], place: str, what: str) -> None:
    for key in given:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, 1)
            listed = ", ".join(known[:_MAX_NAMED]) + (", …" if len(known) > _MAX_NAMED else "")
            hint = f"did you mean {close[0]!r}?" if close else f"use {listed}."
            raise InvalidInputError(f"{place}: the {what} {key!r} is unknown; {hint}")


def _merge_checks(
    checks: Mapping[str, CheckSettings], over: Mapping[str, CheckSettings]
) -> dict[str, CheckSettings]:
    nothing = CheckSettings()
    return {
        name: checks.get(name, nothing).with_settings_over(over.get(name, nothing))
        for name in [*checks, *(each for each in over if each not in checks)]
    }


def _checks_to_dict(checks: Mapping[str, CheckSettings]) -> dict[str, Any]:
    return {name: each.to_value() for name, each in checks.items() if each != CheckSettings()}
