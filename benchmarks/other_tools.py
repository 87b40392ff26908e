"""Measure other tools on the table of ``benchmarks.detect``: ``python -m benchmarks.other_tools [ROWS]…``.

Each tool is installed in an environment of its own, and does what comes nearest to all default checks of
LavenderTown on a table that nobody has described: ydata-profiling and Evidently summarise every column,
Pandera and Great Expectations check every column against what a person would write for it. None of them looks
for what several columns or rows say together, so the figures compare costs, not results.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.detect import DETECT, make_orders, measure

ROWS = (100_000, 1_000_000)
FOLDER = Path("test-results/tools")


@dataclass(frozen=True)
class Tool:
    """A tool.

    Attributes:
        name: Its name.
        requirements: What pip installs.
        imports: The code that imports it, which is measured on its own, too.
        code: The code that reads the Parquet file of the first argument, and prints what it did.
    """

    name: str
    requirements: tuple[str, ...]
    imports: str
    code: str


TOOLS = (
    Tool(
        "ydata-profiling",
        ("ydata-profiling==4.18.*", "pyarrow", "setuptools<81"),
        "import sys, pandas as pd\nfrom ydata_profiling import ProfileReport\n",
        """
report = ProfileReport(pd.read_parquet(sys.argv[1]), minimal=True, progress_bar=False)
found = report.get_description()
print(f"{len(found.variables)} columns, {len(found.alerts)} alerts")
""",
    ),
    Tool(
        "Pandera",
        ("pandera[pandas]==0.35.*", "pyarrow"),
        "import sys, pandas as pd, pandera.pandas as pa\n",
        """
frame = pd.read_parquet(sys.argv[1])
schema = pa.infer_schema(frame)
schema.validate(frame, lazy=True)
checks = sum(2 + len(column.checks) for column in schema.columns.values())
print(f"{len(schema.columns)} columns, {checks} checks of type, missing values and range")
""",
    ),
    Tool(
        "Great Expectations",
        ("great_expectations==1.24.*", "pyarrow"),
        "import sys, pandas as pd, great_expectations as gx, great_expectations.expectations as gxe\n",
        r"""
frame = pd.read_parquet(sys.argv[1])
context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {"globally": False}
asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("orders")
suite = context.suites.add(gx.ExpectationSuite(name="orders"))
for name, column in frame.items():
    suite.add_expectation(gxe.ExpectColumnValuesToNotBeNull(column=name))
    suite.add_expectation(gxe.ExpectColumnUniqueValueCountToBeBetween(column=name, min_value=2))
    if pd.api.types.is_bool_dtype(column):
        continue
    if pd.api.types.is_numeric_dtype(column):
        low, high = column.min(), column.max()
        suite.add_expectation(gxe.ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high))
    elif pd.api.types.is_string_dtype(column):
        suite.add_expectation(gxe.ExpectColumnValuesToMatchRegex(column=name, regex=r"^\S(.*\S)?$"))
batches = asset.add_batch_definition_whole_dataframe("all")
result = batches.get_batch({"dataframe": frame}).validate(suite)
failed = sum(not each.success for each in result.results)
print(f"{frame.shape[1]} columns, {len(result.results)} expectations, {failed} failed")
""",
    ),
    Tool(
        "Evidently",
        ("evidently==0.7.*", "pandas<3", "pyarrow"),
        "import sys, pandas as pd\nfrom evidently import Dataset, Report\n"
        "from evidently.presets import DataSummaryPreset\n",
        """
frame = pd.read_parquet(sys.argv[1])
snapshot = Report([DataSummaryPreset()], include_tests=True).run(Dataset.from_pandas(frame), None)
found = snapshot.dict()
print(f"{frame.shape[1]} columns, {len(found['metrics'])} metrics, {len(found['tests'])} tests")
""",
    ),
)


def install(tool: Tool) -> str:
    """Install a tool unless it is installed; return the interpreter of its environment."""
    folder = FOLDER / tool.name.lower().replace(" ", "-")
    python = str(folder / "bin" / "python")
    installed = folder / "installed.txt"
    wanted = "\n".join(tool.requirements)
    if not installed.exists() or installed.read_text("utf-8") != wanted:
        print(f"Installing {tool.name}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *tool.requirements], check=True)
        installed.write_text(wanted, "utf-8")
    return python


def print_tools(rows: int, folder: Path) -> None:
    """Print what LavenderTown and the other tools take for a table of this number of rows."""
    path = folder / f"orders-{rows}.parquet"
    make_orders(rows).write_parquet(path)
    ours = measure(DETECT, str(path), "polars", "2000")
    imported = measure("import lavendertown.inspector")
    print(f"{rows:,} rows")
    _print_line("LavenderTown", ours, imported)
    for tool in TOOLS:
        python = install(tool)
        imported = measure(tool.imports, python=python)
        run = measure(tool.imports + tool.code, str(path), python=python)
        _print_line(tool.name, run, imported)


def _print_line(name: str, run: Mapping[str, Any], imported: Mapping[str, Any]) -> None:
    outcome = run["text"] if not run["code"] else f"FAILED: {run['error']}"
    print(
        f"{name:20}{run['cpu'] - imported['cpu']:>8.1f} s CPU, imports {imported['cpu']:.1f} s"
        f"{run['peak']:>8,.0f} MB; {outcome}",
        flush=True,
    )


def main(rows: list[str]) -> None:
    """Print the figures for tables of these numbers of rows."""
    with tempfile.TemporaryDirectory(prefix="lavendertown-tools-") as folder:
        for each in map(int, rows) if rows else ROWS:
            print_tools(each, Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
