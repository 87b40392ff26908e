"""The commands of docs/rules.md run, in order, in a folder with its rule files and a table of orders."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from lavendertown.cli import cli
from lavendertown.rules.ruleset_files import parse_ruleset
from lavendertown.rules.running import RULE_TYPES

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")
RULE_FILES = re.findall(r"^```yaml (\S+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line
    for block in re.findall(r"^```bash\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
ORDERS = "order,amount,placed\n" + "".join(
    f"{n},{n * 3 if n % 9 else ''},2026-11-{n % 28 + 1:02d}\n" for n in range(1, 61)
)


@pytest.mark.skipif(importlib.util.find_spec("duckdb") is None, reason="conditions in SQL need duckdb")
def test_all_commands_succeed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orders.csv").write_text(ORDERS, "utf-8")
    for name, text in RULE_FILES:
        (tmp_path / name).write_text(text, "utf-8")
    for command in COMMANDS:
        result = CliRunner().invoke(cli, shlex.split(command)[1:], prog_name="lavendertown")
        assert result.exit_code == 0, f"{command}\n{result.output}"
    assert len(COMMANDS) >= 14


def test_the_table_has_every_type() -> None:
    listed = re.findall(
        r"^\| `(\w+)` \| ", PAGE.split("## Types")[1].split("The operations")[0], re.MULTILINE
    )
    assert sorted(listed) == sorted(("rule_type", *RULE_TYPES))


def test_every_type_but_reference_has_an_example() -> None:
    rules = [rule for name, text in RULE_FILES for rule in parse_ruleset(text, name).rules]
    assert {rule.rule_type for rule in rules} == set(RULE_TYPES) - {"reference"}
