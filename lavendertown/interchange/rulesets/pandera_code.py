"""A Pandera schema as Python code, from the same values as the schema in YAML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

NAME = "pandera-python"


def format_pandera_code(values: Mapping[str, Any]) -> str:
    """Return the code that defines a schema.

    Args:
        values: The schema, as ``pandera_schema.write_pandera`` returns it.
    """
    columns = "".join(
        f"        {name!r}: pa.Column(\n{_format_column(column)}        ),\n"
        for name, column in values["columns"].items()
    )
    options = {key: values[key] for key in ("name", "description", "unique") if values[key] is not None}
    arguments = "".join(f"    {key}={value!r},\n" for key, value in options.items())
    return (
        "import pandera.pandas as pa\n\n"
        f"schema = pa.DataFrameSchema(\n    {{\n{columns}    }},\n{arguments})\n"
    )


def _format_column(column: Mapping[str, Any]) -> str:
    lines = [] if column["dtype"] is None else [repr(column["dtype"])]
    checks = list(_format_checks(column["checks"]))
    if checks:
        lines.append(f"checks=[{', '.join(checks)}]")
    lines += [f"{key}={column[key]!r}" for key in ("nullable", "unique", "coerce")]
    return "".join(f"            {line},\n" for line in lines)


def _format_checks(checks: Any) -> Iterator[str]:
    """Yield the calls of checks, which are by name or, if a name occurs twice, a list."""
    if isinstance(checks, Mapping):
        listed = [
            {**check, "options": {**check["options"], "check_name": name}} for name, check in checks.items()
        ]
    else:
        listed = list(checks or [])
    for check in listed:
        options = {key: value for key, value in check["options"].items() if key != "check_name"}
        values = {key: value for key, value in check.items() if key not in ("options", "value")}
        first = [repr(check["value"])] if "value" in check else []
        named = [f"{key}={value!r}" for key, value in {**values, **options}.items()]
        yield f"pa.Check.{check['options']['check_name']}({', '.join([*first, *named])})"
