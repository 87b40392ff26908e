"""Tokens of RPC on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lavendertown.cli import cli


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["rpc", *arguments])
    return done.exit_code, done.output


def test_a_token_is_made_listed_and_revoked() -> None:
    code, answer = run(
        "token", "create", "--actor", "ci-bot", "--role", "writer", "--expires", "90d", "--json"
    )
    made = json.loads(answer)
    assert (code, made["actor"], made["state"]) == (0, "ci-bot", "valid")
    assert made["token"].startswith(f"lt_{made['id']}_")
    assert "ci-bot" in run("token", "list")[1]
    assert made["token"] not in run("token", "list", "--json")[1]
    assert run("token", "revoke", made["id"]) == (0, f"Revoked token {made['id']} of ci-bot.\n")
    assert json.loads(run("token", "list", "--json")[1])[0]["state"] == "revoked"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("token", "revoke", "none"), "There is no token 'none'"),
        (("token", "create", "--actor", " ", "--role", "reader"), "needs an actor"),
        (("token", "create", "--actor", "a", "--role", "reader", "--expires", "soon"), "is not a time"),
        (("token", "create", "--actor", "a", "--role", "reader", "--expires", "2020-01-01"), "expired"),
        (("token", "create", "--actor", "a", "--role", "admin"), "reader"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(arguments: tuple[str, ...], words: str) -> None:
    code, answer = run(*arguments)
    assert code == 2
    assert words in answer


def test_there_are_no_tokens_at_first() -> None:
    assert run("token", "list") == (0, "There are no tokens.\n")


def test_the_proto_is_written(tmp_path: Path) -> None:
    assert run("proto", "--output", "api.proto")[0] == 0
    assert "service CollaborationService {" in (tmp_path / "api.proto").read_text()
