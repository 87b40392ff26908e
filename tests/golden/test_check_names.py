"""Names of checks and parameters are part of stored findings and of the files of teams."""

from __future__ import annotations

from tests.golden.check_names import names_and_defaults
from tests.golden.goldens import check_value


def test_checks_parameters_and_defaults_keep_their_names() -> None:
    check_value("checks.json", names_and_defaults())
