"""A copy of the package and its tests in which every record has four fields more.

The copy is made as the section "Add a record field" of CONTRIBUTING.md says: the class, the declaration,
the public class where there is one, and one alembic revision. Nothing else is changed.
"""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
RECORDS = (
    "ReportRecord",
    "FindingRecord",
    "AnnotationRecord",
    "RuleSetRecord",
    "TriageRecord",
    "PersonRecord",
    "ViewRecord",
    "AuditEvent",
    "MigrationRecord",
)
LISTED = ("ReportSummary", "FindingSummary", "RuleSetSummary")
SEARCHED = RECORDS[:4]
"""Records with a searched text."""
PUBLIC = {
    "core/findings.py": ("GhostFinding",),
    "collaboration/models.py": ("Annotation", "ShareableReport"),
    "rules/models.py": ("Rule", "RuleSet"),
}
STORED = ("GhostFinding", "Rule", "RuleSet")
"""Public classes whose dictionaries are parts of records."""
LIMIT = 50

_ATTRIBUTES = """\
    extra_text: str = ""
    extra_count: int | None = None
    extra_at: dt.datetime | None = None
    extra_labels: tuple[str, ...] = ()
"""
_LISTED_ATTRIBUTES = """\
    extra_text: str
    extra_count: int | None
    extra_at: dt.datetime | None
    extra_labels: tuple[str, ...]
"""
_PUBLIC_ATTRIBUTES = """\
    extra_text: str = ""
    extra_count: int | None = None
    extra_at: dt.datetime | None = None
    extra_labels: list[str] = field(default_factory=list)
"""
_STORED_ATTRIBUTES = """\
    extra_text: str = field(default="", metadata={"added_later": True})
    extra_count: int | None = field(default=None, metadata={"added_later": True})
    extra_at: dt.datetime | None = field(default=None, metadata={"added_later": True})
    extra_labels: list[str] = field(default_factory=list, metadata={"added_later": True})
"""
_DECLARATIONS = """\
        Field(
            "extra_text", field_kinds.TEXT, default="", added_later=True, limit={limit}, searched={searched}
        ),
        Field("extra_count", optional_kind(field_kinds.COUNT), default=None, added_later=True),
        Field("extra_at", optional_kind(field_kinds.UTC_TIME), default=None, added_later=True),
        Field("extra_labels", field_kinds.TAGS, default=(), added_later=True),
"""
_REVISION = '''\
"""Four fields more for every record.

Revision ID: {number}
Revises: {before}
"""

import sqlalchemy as sa
from alembic import op

revision = "{number}"
down_revision = "{before}"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
TABLES = (
    "reports", "findings", "annotations", "rulesets", "triage", "known_people", "saved_views", "audit_log",
    "moves",
)


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("extra_text", sa.Text(), nullable=False, server_default=""))
        op.add_column(table, sa.Column("extra_count", sa.BigInteger()))
        op.add_column(table, sa.Column("extra_at", UTC))
        op.add_column(table, sa.Column("extra_labels", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    for table in TABLES:
        for name in ("extra_labels", "extra_at", "extra_count", "extra_text"):
            op.drop_column(table, name)
'''


def make_copy(copy: Path) -> None:
    """Write the enlarged copy into a folder that is not there yet."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "lavendertown", copy / "lavendertown", ignore=ignored)
    shutil.copytree(ROOT / "tests", copy / "tests", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", copy)
    package = copy / "lavendertown"
    classes, fields = package / "records" / "record_classes.py", package / "records" / "fields.py"
    for name in RECORDS:
        _add_attributes(classes, name, _ATTRIBUTES)
        searched = 9 if name in SEARCHED else 0
        _add_declarations(fields, name, _DECLARATIONS.format(limit=LIMIT, searched=searched))
    for name in LISTED:
        _add_attributes(classes, name, _LISTED_ATTRIBUTES)
    for file, names in PUBLIC.items():
        for name in names:
            text = _STORED_ATTRIBUTES if name in STORED else _PUBLIC_ATTRIBUTES
            _add_attributes(package / file, name, text)
    _add_revision(package / "stores" / "sql" / "schema" / "migrations" / "versions")
    for folder in ("contract", "migration"):
        shutil.copy(HERE / f"follow_{folder}.py", copy / "tests" / folder / "test_added_fields.py")


def _add_attributes(file: Path, class_name: str, text: str) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    (found,) = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == class_name)
    last = [each for each in found.body if isinstance(each, ast.AnnAssign)][-1]
    _insert(file, last.end_lineno or 0, text)


def _add_declarations(file: Path, class_name: str, text: str) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "FIELDS":
            assert isinstance(node.value, ast.Dict)
            names = [ast.unparse(key) for key in node.value.keys if key is not None]
            declared = node.value.values[names.index(class_name)]
            _insert(file, (declared.end_lineno or 0) - 1, text)


def _insert(file: Path, after_line: int, text: str) -> None:
    lines = file.read_text("utf-8").splitlines(keepends=True)
    file.write_text("".join([*lines[:after_line], text, *lines[after_line:]]), "utf-8")


def _add_revision(folder: Path) -> None:
    before = max(path.name[:4] for path in folder.glob("[0-9]*.py"))
    number = f"{int(before) + 1:04}"
    text = _REVISION.format(number=number, before=before)
    (folder / f"{number}_four_fields_more.py").write_text(text, "utf-8")
