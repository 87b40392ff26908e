"""The documents keep their word: their code runs, and what they name exists."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from lavendertown.cli import cli
from lavendertown.core.settings import SETTINGS, Settings, load_settings
from lavendertown.detectors import Detector, default_detectors
from scripts import check_pages
from scripts.check_examples import WITHOUT_PICTURE

ROOT = Path(__file__).parents[1]
NOTE = ROOT / ".lavendertown" / "README.md"
# The samples of the guide are run by test_guide.
GUIDE = sorted((ROOT / "docs" / "guide").glob("*.md"))
CHECK_PAGES = sorted((ROOT / "docs" / "checks").glob("*.md"))
DOCUMENTS = [ROOT / "README.md", NOTE, *sorted((ROOT / "docs").glob("*.md")), *CHECK_PAGES]
MAX_PICTURE_BYTES = 40_000
ORDERS = "order,amount,placed\n" + "".join(
    f"{n},{n * 3 if n % 9 else ''},2026-11-{n % 28 + 1}\n" for n in range(60)
)


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def name_of(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("document", [path for path in DOCUMENTS if blocks(path, "python")], ids=name_of)
def test_python_samples_run_in_a_folder_with_orders(document: Path, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS)
    (tmp_path / "sample.py").write_text("\n".join(blocks(document, "python")))
    command = [sys.executable, "-W", "error", "sample.py"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    if document.name == "README.md":
        assert "Orders, week 47" in ran.stdout
        assert "The shop sends these" in ran.stdout


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_make_targets_that_documents_name_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z][\w-]*)", document.read_text("utf-8"), re.MULTILINE))
    assert named - targets == set()


def test_the_readme_names_every_make_target() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(next(re.finditer(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)).group(1).split())
    text = (ROOT / "README.md").read_text("utf-8")
    assert [target for target in sorted(targets) if f"make {target}" not in text] == []


@pytest.mark.parametrize("document", [*DOCUMENTS, *GUIDE], ids=name_of)
def test_commands_that_documents_name_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    named = re.findall(r"(?:^ *|`)lavendertown ([a-z]+)(?: ([a-z]+))?", text, re.MULTILINE)
    assert [words for words in named if not is_command(*words)] == []


def is_command(first: str, second: str) -> bool:
    command = cli.commands.get(first)
    return second in command.commands if isinstance(command, click.Group) and second else command is not None


@pytest.mark.parametrize("document", [*DOCUMENTS, *GUIDE], ids=name_of)
def test_links_lead_to_files(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", document.read_text("utf-8"))
    inner = [link for link in links if "://" not in link]
    assert [link for link in inner if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", [*DOCUMENTS, *GUIDE], ids=name_of)
def test_links_lead_to_headings(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", document.read_text("utf-8"))
    assert [
        f"{name}#{anchor}"
        for name, anchor in links
        if anchor not in heading_anchors(document.parent / name if name else document)
    ] == []


def heading_anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_links_to_every_page() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    pages = [*GUIDE, *(ROOT / "docs").glob("*.md")]
    assert [name_of(page) for page in pages if f"]({name_of(page)})" not in text] == []


def test_the_index_of_checks_links_to_every_page() -> None:
    text = check_pages.INDEX.read_text("utf-8")
    assert [page.name for page in CHECK_PAGES if f"](checks/{page.name})" not in text] == []


def test_the_index_of_checks_is_current() -> None:
    text = check_pages.INDEX.read_text("utf-8")
    assert text == check_pages.replace_block(text, check_pages.render_index()), (
        "Run: python -m scripts.check_pages"
    )


@pytest.mark.parametrize("detector", default_detectors(), ids=lambda detector: detector.check)
def test_every_check_has_a_current_page_with_a_picture(detector: Detector) -> None:
    page = check_pages.page_of(detector)
    assert page.exists(), f"Write {name_of(page)}: the check has no page."
    text = page.read_text("utf-8")
    assert text == check_pages.replace_block(text, check_pages.render_check(detector)), (
        "Run: python -m scripts.check_pages"
    )
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["What it finds", "What it leaves alone", "Severity"]
    assert text.startswith(f"# {detector.title}\n")
    if detector.check not in WITHOUT_PICTURE:
        picture = check_pages.IMAGES / f"{detector.check}.png"
        assert picture.exists(), f"Run: python -m scripts.check_pictures {detector.check}"
        assert picture.stat().st_size < MAX_PICTURE_BYTES


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_python_files_that_documents_name_exist(document: Path) -> None:
    named = re.findall(r"`([\w/.]+\.py)`", document.read_text("utf-8"))
    assert [
        name for name in named if not any((base / name).exists() for base in (ROOT, ROOT / "lavendertown"))
    ] == []


def test_the_readme_has_every_setting_with_its_default_and_description() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    rows = [
        f"| `{setting.environment_variable}` | {f'`{setting.default}`' if setting.default else 'none'} "
        f"| {setting.description} |"
        for setting in SETTINGS
    ]
    assert [row for row in rows if row not in text] == []


def test_every_setting_is_declared_and_an_attribute() -> None:
    attributes = {field.name for field in dataclasses.fields(Settings)}
    attributes -= {"origins", "root", "notices", "sources", "notifications", "tickets"}
    assert {setting.attribute_name for setting in SETTINGS} == attributes


def test_the_settings_sample_is_understood(tmp_path: Path) -> None:
    (sample,) = blocks(ROOT / "README.md", "toml")
    (tmp_path / "lavendertown.toml").write_text(sample)
    settings = load_settings(tmp_path, environ={})
    assert settings.storage_type == "database"
    assert settings.database_url == "postgresql://lavendertown@db.example.org/lavendertown"
