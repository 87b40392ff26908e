"""Run the command line in this process, and what it prints with ``--json``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner

from lavendertown.cli import cli
from tests.golden import demo_store
from tests.golden.recording import Recording
from tests.support.receivers import http_receiver

RESULTS = """<testsuite name="nightly" timestamp="2026-05-04T06:00:00Z">
  <testcase classname="checks" name="ids are unique"/>
  <testcase classname="checks" name="amount is set"><failure message="1 of 4 rows"/></testcase>
</testsuite>"""
ORDERS = "id,amount,country\n1,10.5,NL\n2,,NL\n3,12.0,\n4,11.0,DE\n"
RULES = json.dumps(
    {
        "name": "orders",
        "rules": [
            {"name": "small", "rule_type": "range", "column": "amount", "parameters": {"max_value": 11}},
            {"name": "key", "rule_type": "unique", "column": "id"},
            {"name": "gone", "rule_type": "not_null", "column": "price"},
        ],
    }
)
_GENERATED = re.compile(r"\b(?:(?:[ar]|incident)-[0-9a-f]{12}|m-\d{8}T\d{6}-[0-9a-f]{6}|\d{8}T\d{6}-\d{4})\b")
# Where a store is, how long something took and how something is worded are not the answer's form.
_NOT_COMPARED = (
    *("seconds", "store", "source", "target", "backup", "applied_at", "first", "last"),
    *("about", "guesses"),
)


def run_json(*args: str, text: str | None = None, exit_code: int = 0) -> Any:
    """Run a command with ``--json``; return its answer."""
    result = CliRunner().invoke(cli, [*args, "--json"], input=text, prog_name="lavendertown")
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


def commands_with_json() -> set[str]:
    """Return the names of all commands that take ``--json``."""
    return {
        name for name, command in _commands(cli, "") if any("--json" in each.opts for each in command.params)
    }


def _commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for part, child in command.commands.items():
            yield from _commands(child, f"{name} {part}".strip())
    else:
        yield name, command


def answers_about_records(recording: Recording, scratch: Path) -> dict[str, Any]:
    """Return what the commands about records print, on a configured store with the demo in it."""
    ids = demo_store.finding_ids()
    (scratch / "orders.csv").write_text(ORDERS, "utf-8")
    found = {
        "report list": run_json("report", "list", "--deleted"),
        "report show": run_json("report", "show", "orders 0"),
        "report compare": run_json("report", "compare", "orders 1"),
        "findings list": run_json("findings", "list", "--severity", "warning"),
        "findings show": run_json("findings", "show", ids["null"]),
        "findings inbox": run_json("findings", "inbox", "--attention", "any"),
        "export": run_json("export", "--report", "orders 0", "--output", str(scratch / "orders.json")),
        "audit": run_json("audit", "--limit", "3"),
    }
    found["export"]["file"] = Path(found["export"]["file"]).name
    # The following commands write.
    saving = ["--save", "--author", "Ana", "--title", "Orders", "--dataset", "shop", "--tag", "daily"]
    with recording.step():
        found["analyze"] = run_json("analyze", str(scratch / "orders.csv"), *saving)
    with recording.step():
        found["annotate"] = run_json(
            "annotate", ids["range"], "--author", "Ana", "--comment", "Hm", "--tag", "t"
        )
    with recording.step():
        finding = demo_store.RANGE.to_dict()
        text = json.dumps([finding | {"metadata": finding["metadata"] | {"dataset": "new"}}])
        found["report save"] = run_json(
            "report", "save", "-", "--author", "Ben", "--dataset", "new", text=text
        )
    with recording.step():
        found["report import"] = run_json(
            "report", "import", "-", "--overwrite", text=json.dumps(found["report show"])
        )
    with recording.step():
        found["findings adopt"] = run_json("findings", "adopt", "orders", "new", "--author", "Ben")
    found |= _answers_about_incidents(recording, ids)
    found |= _answers_about_notifications(scratch)
    with recording.step(), http_receiver() as receiver:
        receiver.answer = b'{"html_url": "https://example.org/7"}'
        target = f'type = "github"\nurl = "{receiver.url}"\nallow_private = true\n'
        (scratch / "lavendertown.toml").write_text(f"[tickets.team]\n{target}", "utf-8")
        found["findings ticket"] = run_json("findings", "ticket", ids["null"], "--author", "Ana")
        (scratch / "lavendertown.toml").unlink()
    (scratch / "results.xml").write_text(RESULTS, "utf-8")
    for command, *arguments in (("add", "Ana", "--dataset", "ord*"), ("list",), ("remove", "1")):
        author = () if command == "list" else ("--author", "Ana")
        with recording.step():
            found[f"owners {command}"] = run_json("owners", command, *arguments, *author)
    found["import"] = run_json("import", str(scratch / "results.xml"), "--dataset", "nightly", "--dry-run")
    found |= _answers_about_worklists(scratch, found["analyze"]["report_id"])
    for finding in found["analyze"]["findings"]:
        finding["description"] = "<description>"
    return {name: _lasting(recording.fixed_value(value), scratch) for name, value in found.items()}


def _answers_about_incidents(recording: Recording, ids: dict[str, str]) -> dict[str, Any]:
    author = ("--author", "Ana")
    found = {}
    with recording.step():
        made = run_json("incidents", "create", "Till offline", ids["null"], "--assignee", "Ben", *author)
    found["incidents create"], name = made, made["id"]
    for command, *arguments in (
        ("add", ids["range"]),
        ("remove", ids["range"]),
        ("assign", "Cy"),
        ("comment", "Hm."),
        ("close", "--reason", "Loaded again."),
    ):
        with recording.step():
            found[f"incidents {command}"] = run_json("incidents", command, name, *arguments, *author)
    shown = run_json("incidents", "show", name)
    for comment in shown["comments"]:
        comment["id"] = "<generated>"
    found["incidents show"] = shown
    found["incidents list"] = run_json("incidents", "list")
    with recording.step():
        found["incidents reopen"] = run_json("incidents", "reopen", name, *author)
    return found


def _answers_about_notifications(scratch: Path) -> dict[str, Any]:
    settings = scratch / "lavendertown.toml"
    channel = '[notifications.team]\ntype = "mail"\nserver = "127.0.0.1"\nsender = "q@example.org"\n'
    settings.write_text(channel, "utf-8")
    generated = ("id", "created_at")
    found = {
        "tick": run_json("tick"),
        "notifications test": _without(run_json("notifications", "test", "team", exit_code=1), generated),
        "notifications list": _without(run_json("notifications", "list"), generated),
    }
    settings.unlink()
    return found


def _answers_about_worklists(scratch: Path, report_id: str) -> dict[str, Any]:
    author = ("--author", "Ana")
    made = run_json(
        *("worklist", "create", str(scratch / "orders.csv"), "--report", report_id, "--key", "id"),
        *("--out", str(scratch / "worklists"), *author),
    )
    (file,), (name,) = [each["file"] for each in made], [each["id"] for each in made]
    generated = ("id", "file", "report_id", "created_at", "updated_at", "worklists")
    found = {
        "worklist create": made,
        "worklist list": run_json("worklist", "list"),
        "worklist read": run_json("worklist", "read", file, *author),
        "worklist undo": run_json("worklist", "undo", name, *author, exit_code=1),
        "worklist delete": run_json("worklist", "delete", name, *author),
        "worklist restore": run_json("worklist", "restore", name, *author),
    }
    return {command: _without(answer, generated) for command, answer in found.items()}


def answers_about_rules(scratch: Path) -> dict[str, Any]:
    """Return what ``lavendertown rules`` and ``compare`` print, on a configured store without rule sets."""
    orders, rules, june = (str(scratch / name) for name in ("orders.csv", "rules.json", "june.csv"))
    Path(orders).write_text(ORDERS, "utf-8")
    Path(june).write_text("id,country\n1,NL\n2,NL\n", "utf-8")
    Path(rules).write_text(RULES, "utf-8")
    found = {
        "rules suggest": run_json("rules", "suggest", orders),
        "rules import": run_json("rules", "import", rules, "--author", "Ana"),
        "rules list": run_json("rules", "list"),
        "rules show": run_json("rules", "show", "orders"),
        "rules run": run_json("rules", "run", orders, "--rules", "orders", exit_code=1),
        "compare": run_json("compare", orders, june),
        "rules export": run_json("rules", "export", "orders", "--format", "odcs"),
    }
    return {name: _lasting(_without(value, ("updated_at",)), scratch) for name, value in found.items()}


def answers_about_stores(store: str, scratch: Path) -> dict[str, Any]:
    """Return what the commands about whole stores print; ``store`` is a data folder or database URL."""
    there = str(scratch / "copy")
    found = {
        "migrate --dry-run": run_json("migrate", "--from", store, "--to", there, "--dry-run"),
        "migrate": run_json("migrate", "--from", store, "--to", there),
    }
    return {name: _lasting(value, scratch) for name, value in found.items()}


def answers_about_databases(empty_url: str, scratch: Path) -> dict[str, Any]:
    """Return what ``lavendertown db`` prints on an empty database, in the empty working folder."""
    (scratch / "migrations" / "seed").mkdir(parents=True)
    (scratch / "migrations" / "seed" / "1_first.py").write_text(
        "def seed_one(db):\n    '''One.'''\n", "utf-8"
    )
    url = ("--url", empty_url)
    zip_file = str(scratch / "all.zip")
    found = {
        "db current": run_json("db", "current", *url),
        "db check": run_json("db", "check", *url, exit_code=1),
        "db upgrade": run_json("db", "upgrade", *url),
        "db init": run_json("db", "init", *url),
        "db downgrade": run_json("db", "downgrade", "0006", "--yes", *url),
        "db upgrade again": run_json("db", "upgrade", "--no-backup", *url),
        "db backup": (backup := run_json("db", "backup", "--to", str(scratch / "backups"), *url)),
        "db restore": run_json("db", "restore", backup["backup"], "--dry-run", *url),
        "db export": run_json("db", "export", zip_file, *url),
        "db import": run_json("db", "import", zip_file, "--replace", "--yes", *url),
        "db seed": run_json("db", "seed", *url),
        "db seed --list": run_json("db", "seed", "--list", *url),
        "db revision": run_json("db", "revision", "--init", *url),
    }
    head = str(found["db upgrade"]["after"])
    for answer in (each for each in found.values() if isinstance(each, dict)):
        answer.update({key: "<head>" for key in ("before", "after") if answer.get(key) == head})
    return {name: _lasting(value, scratch) for name, value in found.items()}


def answers_about_tokens() -> dict[str, Any]:
    """Return what ``lavendertown rpc token`` prints, without what is made by chance or at a time."""
    created = run_json("rpc", "token", "create", "--actor", "Ana", "--role", "reader", "--expires", "90d")
    found = {
        "rpc token create": created,
        "rpc token list": run_json("rpc", "token", "list"),
        "rpc token revoke": run_json("rpc", "token", "revoke", created["id"]),
    }
    made = ("token", "id", "created_at", "expires_at", "revoked_at")
    return {name: _without(value, made) for name, value in found.items()}


def _without(value: Any, keys: tuple[str, ...]) -> Any:
    if isinstance(value, list):
        return [_without(each, keys) for each in value]
    return {key: f"<{key}>" if key in keys and each is not None else each for key, each in value.items()}


def revisions() -> list[str]:
    """Return the ids of LavenderTown's revisions in the order in which they are applied."""
    result = CliRunner().invoke(cli, ["db", "upgrade", "--sql", "--url", "sqlite://"])
    assert result.exit_code == 0, result.output
    return re.findall(r"(?:INSERT INTO alembic_version .*VALUES \(|SET version_num=)'(\w+)'", result.stdout)


def _lasting(value: Any, scratch: Path) -> Any:
    """Return an answer without what belongs to this run: paths, generated ids, durations, places."""
    if isinstance(value, dict):
        return {
            key: f"<{key}>" if key in _NOT_COMPARED and each is not None else _lasting(each, scratch)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_lasting(each, scratch) for each in value]
    if isinstance(value, str):
        return _GENERATED.sub("<generated>", value.replace(str(scratch), "<folder>"))
    return value
