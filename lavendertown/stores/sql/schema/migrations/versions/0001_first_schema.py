"""The first schema: reports, findings and their identities, annotations, rule sets, audit log.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
JSON = sa.JSON(none_as_null=True)
LIVE = sa.text("deleted_at IS NULL")
TRASH = sa.text("deleted_at IS NOT NULL")
CARRIED = sa.text("report_id IS NOT NULL")


def exact(length: int) -> sa.types.TypeEngine[str]:
    """A text that is compared byte by byte."""
    variant = postgresql.VARCHAR(length, collation="C")
    return sa.String(length).with_variant(variant, "postgresql")


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("key", KEY, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("actor", exact(255), nullable=False),
        sa.Column("component", exact(40), nullable=False),
        sa.Column("record_id", exact(200), nullable=False),
        sa.Column("operation", exact(20), nullable=False),
        sa.Column("before", JSON, nullable=True),
        sa.Column("after", JSON, nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_audit_log")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_log_record", "audit_log", ["component", "record_id", "key"], unique=False)
    op.create_table(
        "identities",
        sa.Column("key", KEY, nullable=False),
        sa.Column("fingerprint", exact(200), nullable=False),
        sa.Column("dataset", exact(255), nullable=False),
        sa.Column("ghost_type", exact(80), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("assignee", exact(255), nullable=True),
        sa.Column("first_seen", UTC, nullable=False),
        sa.Column("last_seen", UTC, nullable=False),
        sa.Column("times_seen", sa.Integer(), nullable=False),
        sa.Column("comment_count", sa.Integer(), nullable=False),
        sa.Column("last_report_key", KEY, nullable=True),
        sa.Column("close_reason", sa.Text(), nullable=True),
        sa.Column("snooze_until", UTC, nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_identities")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_identities_fingerprint")),
    )
    op.create_index(
        "ix_identities_facets", "identities", ["dataset", "severity", "status", "assignee"], unique=False
    )
    op.create_table(
        "reports",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", exact(200), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("author", exact(255), nullable=False),
        sa.Column("dataset", exact(255), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("updated_at", UTC, nullable=False),
        sa.Column("finding_count", sa.Integer(), nullable=False),
        sa.Column("error_count", sa.Integer(), nullable=False),
        sa.Column("warning_count", sa.Integer(), nullable=False),
        sa.Column("info_count", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", UTC, nullable=True),
        sa.Column("tags", JSON, nullable=True),
        sa.Column("ruleset", JSON, nullable=True),
        sa.Column("metadata", JSON, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_reports")),
        sa.UniqueConstraint("id", name=op.f("uq_reports_id")),
    )
    op.create_index(
        "ix_reports_author",
        "reports",
        ["author", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )
    op.create_index(
        "ix_reports_created",
        "reports",
        [sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )
    op.create_index(
        "ix_reports_dataset",
        "reports",
        ["dataset", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )
    op.create_index(
        "ix_reports_trash",
        "reports",
        [sa.literal_column("deleted_at DESC"), "id"],
        unique=False,
        sqlite_where=TRASH,
        postgresql_where=TRASH,
    )
    op.create_table(
        "rulesets",
        sa.Column("key", KEY, nullable=False),
        sa.Column("name", exact(200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("rule_count", sa.Integer(), nullable=False),
        sa.Column("updated_at", UTC, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", UTC, nullable=True),
        sa.Column("rules", JSON, nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rulesets")),
        sa.UniqueConstraint("name", name=op.f("uq_rulesets_name")),
    )
    op.create_table(
        "seed_runs",
        sa.Column("name", exact(200), nullable=False),
        sa.Column("checksum", exact(64), nullable=False),
        sa.Column("applied_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_seed_runs")),
    )
    op.create_table(
        "annotations",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", exact(200), nullable=False),
        sa.Column("identity_key", KEY, nullable=False),
        sa.Column("finding_id", exact(200), nullable=False),
        sa.Column("report_id", exact(200), nullable=True),
        sa.Column("author", exact(255), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("updated_at", UTC, nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", UTC, nullable=True),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["identity_key"], ["identities.key"], name=op.f("fk_annotations_identity_key")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_annotations")),
        sa.UniqueConstraint("id", name=op.f("uq_annotations_id")),
    )
    op.create_index(
        "ix_annotations_author",
        "annotations",
        ["author", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )
    op.create_index(
        "ix_annotations_identity", "annotations", ["identity_key", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_annotations_report",
        "annotations",
        ["report_id"],
        unique=False,
        sqlite_where=CARRIED,
        postgresql_where=CARRIED,
    )
    op.create_table(
        "finding_rows",
        sa.Column("report_key", KEY, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["report_key"], ["reports.key"], name=op.f("fk_finding_rows_report_key")),
        sa.PrimaryKeyConstraint("report_key", "position", name=op.f("pk_finding_rows")),
    )
    op.create_table(
        "findings",
        sa.Column("report_key", KEY, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("identity_key", KEY, nullable=False),
        sa.Column("seen_at", UTC, nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("ghost_type", exact(80), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("dataset", exact(255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=True),
        sa.Column("share", sa.Double(), nullable=True),
        sa.Column("fingerprint", exact(200), nullable=False),
        sa.Column("metadata", JSON, nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["report_key"], ["reports.key"], name=op.f("fk_findings_report_key")),
        sa.PrimaryKeyConstraint("report_key", "position", name=op.f("pk_findings")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_findings_identity",
        "findings",
        ["identity_key", sa.literal_column("seen_at DESC"), "report_key", "row_count"],
        unique=False,
    )
    op.create_table(
        "identity_aliases",
        sa.Column("alias", exact(200), nullable=False),
        sa.Column("identity_key", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["identity_key"], ["identities.key"], name=op.f("fk_identity_aliases_identity_key")
        ),
        sa.PrimaryKeyConstraint("alias", name=op.f("pk_identity_aliases")),
    )
    op.create_index("ix_identity_aliases_identity", "identity_aliases", ["identity_key"], unique=False)
    op.create_table(
        "identity_tags",
        sa.Column("identity_key", KEY, autoincrement=False, nullable=False),
        sa.Column("tag", exact(80), nullable=False),
        sa.ForeignKeyConstraint(
            ["identity_key"], ["identities.key"], name=op.f("fk_identity_tags_identity_key")
        ),
        sa.PrimaryKeyConstraint("identity_key", "tag", name=op.f("pk_identity_tags")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_identity_tags_tag", "identity_tags", ["tag", "identity_key"], unique=False)
    op.create_table(
        "report_tags",
        sa.Column("report_key", KEY, autoincrement=False, nullable=False),
        sa.Column("tag", exact(80), nullable=False),
        sa.ForeignKeyConstraint(["report_key"], ["reports.key"], name=op.f("fk_report_tags_report_key")),
        sa.PrimaryKeyConstraint("report_key", "tag", name=op.f("pk_report_tags")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_report_tags_tag", "report_tags", ["tag", "report_key"], unique=False)
    op.create_table(
        "report_texts",
        sa.Column("report_key", KEY, autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["report_key"], ["reports.key"], name=op.f("fk_report_texts_report_key")),
        sa.PrimaryKeyConstraint("report_key", name=op.f("pk_report_texts")),
    )


def downgrade() -> None:
    op.drop_table("report_texts")
    op.drop_index("ix_report_tags_tag", table_name="report_tags")
    op.drop_table("report_tags")
    op.drop_index("ix_identity_tags_tag", table_name="identity_tags")
    op.drop_table("identity_tags")
    op.drop_index("ix_identity_aliases_identity", table_name="identity_aliases")
    op.drop_table("identity_aliases")
    op.drop_index("ix_findings_identity", table_name="findings")
    op.drop_table("findings")
    op.drop_table("finding_rows")
    op.drop_index(
        "ix_annotations_report", table_name="annotations", sqlite_where=CARRIED, postgresql_where=CARRIED
    )
    op.drop_index("ix_annotations_identity", table_name="annotations")
    op.drop_index("ix_annotations_author", table_name="annotations", sqlite_where=LIVE, postgresql_where=LIVE)
    op.drop_table("annotations")
    op.drop_table("seed_runs")
    op.drop_table("rulesets")
    op.drop_index("ix_reports_trash", table_name="reports", sqlite_where=TRASH, postgresql_where=TRASH)
    op.drop_index("ix_reports_dataset", table_name="reports", sqlite_where=LIVE, postgresql_where=LIVE)
    op.drop_index("ix_reports_created", table_name="reports", sqlite_where=LIVE, postgresql_where=LIVE)
    op.drop_index("ix_reports_author", table_name="reports", sqlite_where=LIVE, postgresql_where=LIVE)
    op.drop_table("reports")
    op.drop_index("ix_identities_facets", table_name="identities")
    op.drop_table("identities")
    op.drop_index("ix_audit_log_record", table_name="audit_log")
    op.drop_table("audit_log")
