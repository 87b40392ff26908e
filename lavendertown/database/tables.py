"""The tables, as the newest migration leaves them. DATA_MODEL in docs/architecture.md says why."""

from __future__ import annotations

import sqlalchemy as sa

from lavendertown.database.types import Json, Key, Utc, name

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)
_LIVE = sa.text("deleted_at IS NULL")
_TRASH = sa.text("deleted_at IS NOT NULL")

reports = sa.Table(
    "reports",
    metadata,
    sa.Column("key", Key, primary_key=True),
    sa.Column("id", name(200), nullable=False, unique=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("author", name(255), nullable=False),
    sa.Column("dataset", name(255), nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("updated_at", Utc, nullable=False),
    sa.Column("finding_count", sa.Integer, nullable=False),
    sa.Column("error_count", sa.Integer, nullable=False),
    sa.Column("warning_count", sa.Integer, nullable=False),
    sa.Column("info_count", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted_at", Utc),
    sa.Column("tags", Json),
    sa.Column("ruleset", Json),
    sa.Column("metadata", Json, nullable=False),
)
_R = reports.c
for _name, _columns in {
    "ix_reports_created": (_R.created_at.desc(), _R.id.desc()),
    "ix_reports_author": (_R.author, _R.created_at.desc(), _R.id.desc()),
    "ix_reports_dataset": (_R.dataset, _R.created_at.desc(), _R.id.desc()),
}.items():
    sa.Index(_name, *_columns, sqlite_where=_LIVE, postgresql_where=_LIVE)
sa.Index("ix_reports_trash", _R.deleted_at.desc(), _R.id, sqlite_where=_TRASH, postgresql_where=_TRASH)

report_tags = sa.Table(
    "report_tags",
    metadata,
    sa.Column("report_key", Key, sa.ForeignKey("reports.key"), primary_key=True, autoincrement=False),
    sa.Column("tag", name(80), primary_key=True),
    sqlite_with_rowid=False,
)
sa.Index("ix_report_tags_tag", report_tags.c.tag, report_tags.c.report_key)

report_texts = sa.Table(
    "report_texts",
    metadata,
    sa.Column("report_key", Key, sa.ForeignKey("reports.key"), primary_key=True, autoincrement=False),
    sa.Column("text", sa.Text, nullable=False),
)

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("key", Key, primary_key=True),
    sa.Column("fingerprint", name(200), nullable=False, unique=True),
    sa.Column("dataset", name(255), nullable=False),
    sa.Column("ghost_type", name(80), nullable=False),
    sa.Column("column_name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("severity", sa.SmallInteger, nullable=False),
    sa.Column("status", sa.SmallInteger, nullable=False),
    sa.Column("fixed_at", Utc),
    sa.Column("regressed_at", Utc),
    sa.Column("first_seen", Utc, nullable=False),
    sa.Column("last_seen", Utc, nullable=False),
    sa.Column("times_seen", sa.Integer, nullable=False),
    sa.Column("comment_count", sa.Integer, nullable=False),
    sa.Column("check_key", name(32), nullable=False),
    sa.Column("last_count", sa.BigInteger),
    sa.Column("last_share", sa.Double),
    sa.Column("search_text", sa.Text, nullable=False),
    postgresql_with={"fillfactor": 70},
)
_I = identities.c
sa.Index("ix_identities_dataset", _I.dataset)

identity_tags = sa.Table(
    "identity_tags",
    metadata,
    sa.Column("identity_key", Key, sa.ForeignKey("identities.key"), primary_key=True, autoincrement=False),
    sa.Column("tag", name(80), primary_key=True),
    sqlite_with_rowid=False,
)
sa.Index("ix_identity_tags_tag", identity_tags.c.tag, identity_tags.c.identity_key)

identity_aliases = sa.Table(
    "identity_aliases",
    metadata,
    sa.Column("alias", name(200), primary_key=True),
    sa.Column("identity_key", Key, sa.ForeignKey("identities.key"), nullable=False),
    sa.Column("name", name(200), nullable=False),
)
sa.Index("ix_identity_aliases_identity", identity_aliases.c.identity_key)

# PostgreSQL does not watch over their reports, see migration 0006.
UNWATCHED = "findings"
findings = sa.Table(
    UNWATCHED,
    metadata,
    sa.Column("report_key", Key, sa.ForeignKey("reports.key"), primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("identity_key", Key, nullable=False),
    sa.Column("seen_at", Utc, nullable=False),
    sa.Column("severity", sa.SmallInteger, nullable=False),
    sa.Column("ghost_type", name(80), nullable=False),
    sa.Column("column_name", sa.Text, nullable=False),
    sa.Column("dataset", name(255), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("row_count", sa.BigInteger),
    sa.Column("share", sa.Double),
    sa.Column("fingerprint", name(200), nullable=False),
    sa.Column("metadata", Json, nullable=False),
    sa.Column("search_text", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
_F = findings.c
sa.Index("ix_findings_identity", _F.identity_key, _F.seen_at.desc(), _F.report_key, _F.row_count)

finding_rows = sa.Table(
    "finding_rows",
    metadata,
    sa.Column("report_key", Key, sa.ForeignKey("reports.key"), primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

notes = sa.Table(
    "annotations",
    metadata,
    sa.Column("key", Key, primary_key=True),
    sa.Column("id", name(200), nullable=False, unique=True),
    sa.Column("identity_key", Key, sa.ForeignKey("identities.key"), nullable=False),
    sa.Column("finding_id", name(200), nullable=False),
    sa.Column("report_id", name(200)),
    sa.Column("author", name(255), nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("updated_at", Utc, nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("status", sa.SmallInteger),
    sa.Column("tags", Json, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted_at", Utc),
    sa.Column("search_text", sa.Text, nullable=False),
)
_A = notes.c
sa.Index("ix_annotations_identity", _A.identity_key, _A.created_at, _A.id)
sa.Index(
    "ix_annotations_author",
    _A.author,
    _A.created_at.desc(),
    _A.id.desc(),
    sqlite_where=_LIVE,
    postgresql_where=_LIVE,
)
_CARRIED = sa.text("report_id IS NOT NULL")
sa.Index("ix_annotations_report", _A.report_id, sqlite_where=_CARRIED, postgresql_where=_CARRIED)

rulesets = sa.Table(
    "rulesets",
    metadata,
    sa.Column("key", Key, primary_key=True),
    sa.Column("name", name(200), nullable=False, unique=True),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("rule_count", sa.Integer, nullable=False),
    sa.Column("updated_at", Utc, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted_at", Utc),
    sa.Column("rules", Json, nullable=False),
    sa.Column("search_text", sa.Text, nullable=False),
)

triage = sa.Table(
    "triage",
    metadata,
    sa.Column("key", Key, primary_key=True),
    sa.Column("id", name(200), nullable=False, unique=True),
    sa.Column("assignee", name(255), nullable=False),
    sa.Column("close_reason", sa.Text, nullable=False),
    sa.Column("snooze_until", Utc),
    sa.Column("snooze_factor", sa.Double),
    sa.Column("snooze_count", sa.BigInteger),
    sa.Column("snooze_share", sa.Double),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("merged_into", name(200), nullable=False),
    sa.Column("stands_alone", sa.Boolean, nullable=False),
    sa.Column("updated_at", Utc, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted_at", Utc),
)

known_people = sa.Table(
    "known_people",
    metadata,
    sa.Column("key", Key, primary_key=True),
    sa.Column("id", name(200), nullable=False, unique=True),
    sa.Column("mail", sa.String(320), nullable=False),
    sa.Column("initials", sa.String(4), nullable=False),
    sa.Column("updated_at", Utc, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted_at", Utc),
)

saved_views = sa.Table(
    "saved_views",
    metadata,
    sa.Column("key", Key, primary_key=True),
    sa.Column("id", name(200), nullable=False, unique=True),
    sa.Column("author", name(255), nullable=False),
    sa.Column("query", Json, nullable=False),
    sa.Column("updated_at", Utc, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted_at", Utc),
)

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("key", Key, primary_key=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("actor", name(255), nullable=False),
    sa.Column("component", name(40), nullable=False),
    sa.Column("record_id", name(200), nullable=False),
    sa.Column("operation", name(20), nullable=False),
    sa.Column("before", Json),
    sa.Column("after", Json),
    sqlite_autoincrement=True,
)
sa.Index("ix_audit_log_record", audit_log.c.component, audit_log.c.record_id, audit_log.c.key)

# What a move brings along is older than what is there: the log is listed by time, not by key.
sa.Index("ix_audit_log_at", audit_log.c.at.desc(), audit_log.c.key.desc())

moves = sa.Table(
    "moves",
    metadata,
    sa.Column("id", name(200), primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("actor", name(255), nullable=False),
    sa.Column("started_at", Utc, nullable=False),
    sa.Column("finished_at", Utc),
    sa.Column("options", Json, nullable=False),
    sa.Column("outcome", Json),
)

seed_runs = sa.Table(
    "seed_runs",
    metadata,
    sa.Column("name", name(200), primary_key=True),
    sa.Column("checksum", name(64), nullable=False),
    sa.Column("applied_at", Utc, nullable=False),
)
