"""Who may import whom: the order of the rooms, read from the source."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lavendertown"

# Each line sees itself and the lines above it.
ORDER = [
    {"core", "worker"},
    {"errors", "models"},
    {"tables", "notifications"},
    {"profile"},
    {"detectors"},
    {"drift"},
    {"rules"},
    {"interchange", "inspector"},
    {"inspection"},
    {"records"},
    {"inbox", "stores", "stores.zip_files", "stores.files"},
    {"stores.sql"},
    {"database"},
    {"data_sources"},
    {"collaboration"},
    {"transfer"},
    {"demo", "tick"},
    {"rpc"},
    {"mcp"},
    {"cli", "ui"},
    {"__main__"},
]
DOORS = {"cli", "ui"}
# Only the drawer between collaboration and the database: (importer, whether it must wait for a call).
DATABASE_USERS = {"collaboration.storage": "in a call", "collaboration.database_storage": "at once"}
SQL_ROOMS = {"stores.sql", "database"}
SQL_LIBRARIES = {"sqlalchemy", "alembic", "psycopg2"}


@dataclass(frozen=True)
class Import:
    """One import of a module: where, of what, and whether it runs only inside a function."""

    importer: str
    imported: str
    in_call: bool
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in PACKAGE.rglob("*.py")}
LEVELS = {room: level for level, rooms in enumerate(ORDER) for room in rooms}


def room(module: str) -> str:
    """The package of a module; each store is a room of its own."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "stores" else parts[0]


def nodes(tree: ast.AST, in_call: bool = False) -> Iterator[tuple[ast.stmt, bool]]:
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, in_call
        inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from nodes(child, in_call or inside)


def targets(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute in this package"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports(path: Path, importer: str) -> Iterator[Import]:
    tree = ast.parse(path.read_text("utf-8"), str(path))
    for node, in_call in nodes(tree):
        for target in targets(node):
            yield Import(importer, target, in_call, node.lineno)


EVERY = [found for module, path in sorted(MODULES.items()) for found in imports(path, module)]


def within(found: Import) -> str | None:
    """The module of this package that is imported; None for another package's."""
    head, _, rest = found.imported.partition(".")
    if head != "lavendertown":
        return None
    return rest if rest in MODULES else rest.rpartition(".")[0]


INNER = [(found, target) for found in EVERY if (target := within(found))]


def outer(*packages: str) -> list[Import]:
    return [found for found in EVERY if found.imported.split(".")[0] in packages]


def is_render(found: Import, target: str) -> bool:
    return found.importer == "inspector" and room(target) == "ui" and found.in_call


def is_start(found: Import) -> bool:
    """``lavendertown ui`` hands over to Streamlit's own command line."""
    return found.importer == "cli.ui" and found.imported == "streamlit.web.cli.main" and found.in_call


def test_every_module_has_a_room() -> None:
    assert {room(module) for module in MODULES if module} <= set(LEVELS)


def test_the_package_map_has_every_room_in_this_order() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## Package map")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    listed = [
        (name.replace("/", "."), -row) for row, names in enumerate(rows) for name in names.split("`")[1::2]
    ]
    rows_by_room = dict(listed)
    assert rows_by_room.keys() == LEVELS.keys() - {"stores", "stores.zip_files", "__main__"}
    by_row = sorted(listed, key=lambda each: each[1])
    wrong = [
        (low, high)
        for low, at in by_row
        for high, above in by_row
        if at < above and LEVELS[low] > LEVELS[high]
    ]
    assert wrong == []


def test_rooms_see_only_the_rooms_above() -> None:
    wrong = [
        str(found)
        for found, target in INNER
        if found.importer and LEVELS[room(target)] > LEVELS[room(found.importer)]
        if not is_render(found, target)
    ]
    assert wrong == []


def test_the_package_itself_sees_no_room_below_the_inspector() -> None:
    wrong = [
        str(found)
        for found, target in INNER
        if not found.importer and LEVELS[room(target)] > LEVELS["inspector"]
    ]
    assert wrong == []


def test_doors_do_not_see_each_other() -> None:
    wrong = [
        str(found)
        for found, target in INNER
        if {room(found.importer), room(target)} <= DOORS and room(found.importer) != room(target)
    ]
    assert wrong == []


def test_above_the_database_only_two_modules_reach_it() -> None:
    wrong = [
        str(found)
        for found, target in INNER
        if room(target) in SQL_ROOMS and room(found.importer) == "collaboration"
        if not (DATABASE_USERS.get(found.importer) == "at once" or _waits(found))
    ]
    assert wrong == []


def _waits(found: Import) -> bool:
    return DATABASE_USERS.get(found.importer) == "in a call" and found.in_call


def test_the_database_store_is_imported_only_when_asked_for() -> None:
    wrong = [
        str(found)
        for found, target in INNER
        if target == "collaboration.database_storage" and not found.in_call
        if room(found.importer) == "collaboration"
    ]
    assert wrong == []


def test_streamlit_stays_in_the_dashboard() -> None:
    wrong = [
        str(found) for found in outer("streamlit") if room(found.importer) != "ui" and not is_start(found)
    ]
    assert wrong == []


def test_sql_libraries_stay_in_the_database_rooms() -> None:
    wrong = [
        str(found)
        for found in outer(*SQL_LIBRARIES)
        if room(found.importer) not in SQL_ROOMS and found.importer != "collaboration.database_storage"
    ]
    assert wrong == []


def test_modules_import_each_other_without_cycles() -> None:
    graph: dict[str, set[str]] = {module: set() for module in MODULES}
    for found, target in INNER:
        if not found.in_call and target != found.importer:
            graph[found.importer].add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_a_lazy_import_is_told_from_an_eager_one() -> None:
    tree = ast.parse("import a\nclass C:\n    def f(self):\n        import b\n")
    assert [(list(targets(node)), in_call) for node, in_call in nodes(tree)] == [
        (["a"], False),
        (["b"], True),
    ]


@pytest.mark.parametrize(
    "module", ["lavendertown.cli", "lavendertown.collaboration.storage", "lavendertown.transfer.migrator"]
)
def test_commands_start_without_libraries_for_data(module: str) -> None:
    """Each of them takes as long to import as everything else together."""
    heavy = "{'pandas', 'polars', 'narwhals', 'plotly', 'streamlit', 'sqlalchemy'}"
    program = f"import sys, {module}; print(sorted({heavy} & sys.modules.keys()))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
