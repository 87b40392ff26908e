"""The wheel carries what a stranger needs, and the checkout's dashboard is the wheel's."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

import lavendertown

ROOT = Path(__file__).parents[1]
SERVE = ROOT / "lavendertown" / "ui" / "server"
NEEDED = ("pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a wheel is built from, so that the checkout gets no build folder."""
    copy = tmp_path_factory.mktemp("source")
    for name in NEEDED:
        shutil.copy(ROOT / name, copy)
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "lavendertown", copy / "lavendertown", ignore=leave)
    return copy


@pytest.fixture(scope="session")
def files(source: Path) -> set[str]:
    """Every file of the package, before the build."""
    found = (source / "lavendertown").rglob("*")
    return {path.relative_to(source).as_posix() for path in found if path.is_file()}


@pytest.fixture(scope="session")
def wheel(source: Path, files: set[str]) -> zipfile.ZipFile:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(source / "out")]
    built = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return zipfile.ZipFile(next((source / "out").glob("*.whl")))


@pytest.fixture(scope="session")
def about(wheel: zipfile.ZipFile) -> Message:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return message_from_bytes(wheel.read(name))


def test_the_wheel_carries_every_file_of_the_package(wheel: zipfile.ZipFile, files: set[str]) -> None:
    assert files - set(wheel.namelist()) == set()


@pytest.mark.parametrize(
    "path",
    [
        "lavendertown/py.typed",
        "lavendertown/ui/server/app.py",
        "lavendertown/ui/server/.streamlit/config.toml",
        "lavendertown/ui/assets/icon.png",
        "lavendertown/stores/sql/schema/migrations/env.py",
    ],
)
def test_the_wheel_carries(wheel: zipfile.ZipFile, path: str) -> None:
    assert path in wheel.namelist()


def test_the_wheel_carries_the_package_alone(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"lavendertown"}


def test_the_wheel_carries_the_licence(wheel: zipfile.ZipFile, about: Message) -> None:
    assert about["License-Expression"] == "MIT"
    carried = next(name for name in wheel.namelist() if name.endswith("/LICENSE"))
    assert wheel.read(carried) == (ROOT / "LICENSE").read_bytes()


def test_the_wheel_has_the_version_of_the_package(about: Message) -> None:
    assert about["Version"] == lavendertown.__version__


def test_a_plain_install_needs_no_database(about: Message) -> None:
    plain = [line for line in about.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert plain
    assert not [line for line in plain if line.lower().startswith(("sqlalchemy", "alembic", "psycopg2"))]


def test_the_twin_theme_is_the_theme() -> None:
    twin, theme = SERVE / ".streamlit" / "config.toml", ROOT / ".streamlit" / "config.toml"
    assert twin.read_text("utf-8") == theme.read_text("utf-8")


def test_the_twin_app_is_the_app_but_for_the_path_of_its_first_screen() -> None:
    app, twin = ((folder / "app.py").read_text("utf-8") for folder in (ROOT, SERVE))
    assert _body(twin).replace('"../main.py"', '"lavendertown/ui/main.py"') == _body(app)


def _body(source: str) -> str:
    """The source after its docstring."""
    return source.split('"""', 2)[2]


def test_no_pin_records_an_address() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins
    assert not [line for line in pins if "/" in line or "@" in line or "--" in line or line.count("==") != 1]


def test_make_run_installs_what_the_first_screen_offers() -> None:
    # -n prints the commands, and -B those for an installation that is there already, too.
    done = subprocess.run(["make", "-n", "-B", "run"], cwd=ROOT, capture_output=True, text=True, check=True)
    (install,) = (line for line in done.stdout.splitlines() if line.startswith("scripts/install.sh"))
    assert {"database", "demo"} <= set(install.split()[1].split(","))
