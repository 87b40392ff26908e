"""The names of checks, of their parameters and of the keys of a check configuration, with the defaults."""

from __future__ import annotations

from typing import Any

from lavendertown.rules.check_configuration import (
    COMMON_PARAMETERS,
    CheckConfiguration,
    ColumnSettings,
    known_checks,
    parameters_of,
)
from lavendertown.rules.models import Rule


def names_and_defaults() -> dict[str, Any]:
    """Return what people write in a check configuration."""
    everything = CheckConfiguration(
        columns={"c": ColumnSettings(True, (1,), 1, 2, True, "x", {})},
        rules=(Rule("r", "", "not_null", "c"),),
        rule_sets=("s",),
    )
    return {
        "checks": {check: parameters_of(check) for check in known_checks()},
        "every check": list(COMMON_PARAMETERS),
        "configuration": everything.to_dict(),
    }
