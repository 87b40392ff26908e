"""The commands in the guides of the gate run as they are written."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "gate.md").read_text("utf-8")
SAMPLES = ROOT / "tests" / "interchange" / "samples" / "dbt"
CLEAN = "order_id,amount\n1,2\n2,3\n3,4\n4,5\n"
DIRTY = "order_id,amount\n1,2\n,3\n3,4\n4,5\n"


def read_block(heading: str, language: str) -> str:
    section = rf"^## {heading}\n\n[^`]*(?:`[^`\n]+`:\n\n)?```{language}[^\n]*\n(.*?)^```"
    found = re.search(section, GUIDE, re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    return found[1]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a command ``lavendertown`` that runs this source, and with data."""
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "lavendertown"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lavendertown "$@"\n', "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "orders.csv").write_text(CLEAN, "utf-8")
    return folder


def run(command: str, folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    program = ["sh", "-e", "-c", command, "sh", *names]
    return subprocess.run(program, cwd=folder, check=False, capture_output=True, text=True, timeout=120)


def test_the_steps_of_github_actions(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (job,) = yaml.safe_load(read_block("GitHub Actions", "yaml"))["jobs"].values()
    install, gate, show = (step for step in job["steps"] if "run" in step)
    assert install["run"].startswith("pip install ")
    assert list(gate["env"]) == ["LAVENDERTOWN_DATABASE_URL"]
    monkeypatch.setenv("LAVENDERTOWN_DATABASE_URL", f"sqlite:///{project / 'quality.db'}")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project / "summary.md"))
    assert run(f"{gate['run']} --save --author CI", project).returncode == 0
    (project / "data" / "orders.csv").write_text(DIRTY, "utf-8")
    assert run(gate["run"], project).returncode == 1
    assert (show["if"], run(show["run"], project).returncode) == ("always()", 0)
    assert "It is not in the baseline." in (project / "summary.md").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("act") is None, reason="act, a runner of GitHub Actions, is not installed")
def test_the_workflow_of_github_actions_in_a_runner(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in place of pip, and an empty action in place of setup-python, which needs GitHub."""
    workflow, action = project / ".github" / "workflows" / "data-quality.yml", project.parent / "setup-python"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(read_block("GitHub Actions", "yaml"), "utf-8")
    action.mkdir()
    (action / "action.yml").write_text("runs: {using: composite, steps: [{run: ':', shell: sh}]}\n", "utf-8")
    (project.parent / "bin" / "pip").write_text("#!/bin/sh\n", "utf-8")
    (project.parent / "bin" / "pip").chmod(0o755)
    (project.parent / ".actrc").touch()
    monkeypatch.setenv("HOME", str(project.parent))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(project.parent))
    monkeypatch.setenv("XDG_CACHE_HOME", str(project.parent))
    url = f"sqlite:///{project.parent / 'quality.db'}"
    save = "lavendertown analyze data/orders.csv --dataset orders --save --author Ana"
    commit = "git init -q && git -c user.name=Ana -c user.email=ana@example.org commit -q --allow-empty -m x"
    assert run(f"{commit} && LAVENDERTOWN_DATABASE_URL={url} {save}", project).returncode == 0
    act = (
        "act push -P ubuntu-latest=-self-hosted -s LAVENDERTOWN_DATABASE_URL="
        f"{url} --local-repository actions/setup-python@v6={action}"
    )
    passed = run(act, project)
    assert (passed.returncode, "### orders: passed" in passed.stdout) == (0, True), passed.stdout
    (project / "data" / "orders.csv").write_text(DIRTY, "utf-8")
    failed = run(act, project)
    assert failed.returncode == 1
    assert "### orders: failed: 1 finding" in failed.stdout
    assert "It is not in the baseline." in failed.stdout


def test_the_hook_of_pre_commit(project: Path) -> None:
    (hook,) = yaml.safe_load(read_block("pre-commit", "yaml"))["repos"][0]["hooks"]
    (project / "no rows.csv").write_text("order_id,amount\n", "utf-8")
    command = shlex.join(shlex.split(hook["entry"]))
    assert run(f'{command} "$@"', project, "data/orders.csv").returncode == 0
    assert run(f'{command} "$@"', project, "no rows.csv", "data/orders.csv").returncode == 1


def test_the_command_of_airflow(project: Path) -> None:
    found = re.search(r'bash_command="(.*)",', read_block("Airflow", "python"))
    assert found is not None
    command = found[1].replace("/data/", "data/")
    assert [run(command, project).returncode for _ in range(2)] == [0, 0]
    (project / "data" / "orders.csv").write_text(DIRTY, "utf-8")
    assert run(command, project).returncode == 1


@pytest.mark.parametrize(("status", "expected"), [(0, 0), (1, 0), (2, 1)])
def test_the_script_for_dbt(project: Path, status: int, expected: int) -> None:
    """A program in place of dbt, whose exit code of ``dbt test`` is given."""
    dbt = project.parent / "bin" / "dbt"
    dbt.write_text(f'#!/bin/sh\ntest "$1" = run || exit {status}\n', "utf-8")
    dbt.chmod(0o755)
    (project / "target").mkdir()
    for name in ("run_results", "manifest"):
        shutil.copy(SAMPLES / f"generated_dbt-1.10.23__{name}.json", project / "target" / f"{name}.json")
    result = run(read_block("dbt", "sh"), project)
    assert result.returncode == expected
    assert ("7 new" in result.stdout) is (expected == 0)
