"""Read the parameters of a rule, with one clear sentence for each that is not possible."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any

from lavendertown.core import json_codec
from lavendertown.core.errors import InvalidInputError
from lavendertown.rules.models import Rule

Scalar = str | int | float | bool


class ParameterReader:
    """The parameters of a rule, by their current names.

    Args:
        rule: The rule.
        aliases: Other accepted names of parameters, such as ``{"min": "min_value"}``.

    Attributes:
        given: The parameters that the rule has, by their current names; without those that are null.

    Raises:
        InvalidInputError: A parameter is given twice under different names, or has no JSON form.
    """

    def __init__(self, rule: Rule, aliases: Mapping[str, str]) -> None:
        if not isinstance(rule.parameters, Mapping):
            raise InvalidInputError("its parameters are not names with values; write {min_value: 0}")
        self.rule_type = rule.rule_type
        self.given: dict[str, Any] = {}
        self._known: list[str] = []
        for name, value in rule.parameters.items():
            current = aliases.get(str(name), str(name))
            if value is None:
                continue
            if current in self.given:
                raise InvalidInputError(f"the parameter {current} is given twice; keep one of them")
            self.given[current] = json_codec.to_jsonable(value, f"the parameter {current}")

    def read_text(self, name: str, default: str | None = None) -> str | None:
        """Return a text."""
        value = self._value(name, default)
        if value is not None and not isinstance(value, str):
            raise InvalidInputError(f"the parameter {name} must be a text, not {value!r}")
        return value

    def require_text(self, name: str) -> str:
        """Return a text that must be given and not be empty."""
        value = self.read_text(name)
        if not value:
            raise InvalidInputError(f"the parameter {name} is missing")
        return value

    def read_choice(self, name: str, choices: Sequence[str], default: str | None = None) -> str:
        """Return one of several texts; without a default, it must be given."""
        value = self._value(name, default)
        if value is None:
            raise InvalidInputError(f"the parameter {name} is missing; use one of {', '.join(choices)}")
        if value not in choices:
            raise InvalidInputError(f"{name} {value!r} is unknown; use one of {', '.join(choices)}")
        return str(value)

    def read_flag(self, name: str) -> bool:
        """Return true or false, by default false."""
        value = self._value(name, False)
        if not isinstance(value, bool):
            raise InvalidInputError(f"the parameter {name} must be true or false, not {value!r}")
        return value

    def read_number(self, name: str) -> float | int | None:
        """Return a finite number."""
        value = self._value(name, None)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise InvalidInputError(f"the parameter {name} must be a number, not {value!r}")
        return value

    def read_count(self, name: str) -> int | None:
        """Return a whole number that is not negative."""
        value = self.read_number(name)
        if value is None:
            return None
        if value < 0 or value != int(value):
            raise InvalidInputError(f"the parameter {name} must be a whole number from 0 on, not {value!r}")
        return int(value)

    def read_share(self, name: str) -> float | None:
        """Return a number from 0 to 1."""
        value = self.read_number(name)
        if value is not None and not 0 <= value <= 1:
            raise InvalidInputError(f"the parameter {name} must be a share from 0 to 1, not {value!r}")
        return value

    def read_scalar(self, name: str) -> Scalar | None:
        """Return a text, number or boolean."""
        value = self._value(name, None)
        if value is not None and not isinstance(value, (str, int, float, bool)):
            raise InvalidInputError(f"the parameter {name} must be one value, not {value!r}")
        return value

    def read_scalars(self, name: str) -> list[Scalar]:
        """Return a list of values that must be given and not be empty."""
        value = self._value(name, None)
        if not isinstance(value, (list, tuple)) or not value:
            raise InvalidInputError(f"the parameter {name} must be a list with at least one value")
        if not all(isinstance(each, (str, int, float, bool)) for each in value):
            raise InvalidInputError(f"the list {name} must contain texts, numbers, true or false only")
        return list(value)

    def read_names(self, name: str) -> list[str]:
        """Return a list of column names; empty if it is not given. A single name may stand for a list."""
        value = self._value(name, [])
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, (list, tuple)) or not all(isinstance(each, str) for each in names):
            raise InvalidInputError(f"the parameter {name} must be a list of column names, not {value!r}")
        return list(names)

    def read_mapping(self, name: str) -> Mapping[str, Any]:
        """Return names with values; empty if it is not given."""
        value = self._value(name, {})
        if not isinstance(value, Mapping):
            raise InvalidInputError(f"the parameter {name} must be names with values, not {value!r}")
        return value

    def refuse_unknown(self) -> None:
        """Refuse parameters that were not read: a misspelled one would not be checked.

        Raises:
            InvalidInputError: There is such a parameter.
        """
        for name in self.given:
            if name not in self._known:
                close = difflib.get_close_matches(name, self._known, 1)
                hint = f"did you mean {close[0]}?" if close else f"it takes {', '.join(sorted(self._known))}"
                raise InvalidInputError(f"a {self.rule_type} rule has no parameter {name}; {hint}")

    def _value(self, name: str, default: Any) -> Any:
        self._known.append(name)
        return self.given.get(name, default)
