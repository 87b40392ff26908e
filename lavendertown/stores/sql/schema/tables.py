"""The tables as the newest migration leaves them; columns of later record fields are added from their fields.

The section on the data model in docs/architecture.md gives the reasons.
"""

from __future__ import annotations

import sqlalchemy as sa

from lavendertown.records.record_classes import (
    AnnotationRecord,
    AuditEvent,
    ChannelRecord,
    DatasetSettingsRecord,
    EvidenceRecord,
    FindingRecord,
    IncidentRecord,
    MigrationRecord,
    NotificationRecord,
    PersonRecord,
    ReportRecord,
    RuleSetRecord,
    TriageRecord,
    ViewRecord,
    WorklistRecord,
)
from lavendertown.stores.sql.schema.record_mapping import add_later_columns
from lavendertown.stores.sql.statements.column_types import JsonData, SurrogateKey, UtcDateTime, exact_text

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)
_LIVE = sa.text("deleted_at IS NULL")
_DELETED = sa.text("deleted_at IS NOT NULL")

reports = sa.Table(
    "reports",
    metadata,
    sa.Column("key", SurrogateKey, primary_key=True),
    sa.Column("id", exact_text(200), nullable=False, unique=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("author", exact_text(255), nullable=False),
    sa.Column("dataset", exact_text(255), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("finding_count", sa.Integer, nullable=False),
    sa.Column("error_count", sa.Integer, nullable=False),
    sa.Column("warning_count", sa.Integer, nullable=False),
    sa.Column("info_count", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted_at", UtcDateTime),
    sa.Column("tags", JsonData),
    sa.Column("ruleset", JsonData),
    sa.Column("metadata", JsonData, nullable=False),
)
_R = reports.c
for _name, _columns in {
    "ix_reports_created": (_R.created_at.desc(), _R.id.desc()),
    "ix_reports_author": (_R.author, _R.created_at.desc(), _R.id.desc()),
    "ix_reports_dataset": (_R.dataset, _R.created_at.desc(), _R.id.desc()),
}.items():
    sa.Index(_name, *_columns, sqlite_where=_LIVE, postgresql_where=_LIVE)
sa.Index("ix_reports_trash", _R.deleted_at.desc(), _R.id, sqlite_where=_DELETED, postgresql_where=_DELETED)

report_tags = sa.Table(
    "report_tags",
    metadata,
    sa.Column(
        "report_key", SurrogateKey, sa.ForeignKey("reports.key"), primary_key=True, autoincrement=False
    ),
    sa.Column("tag", exact_text(500), primary_key=True),
    sqlite_with_rowid=False,
)
sa.Index("ix_report_tags_tag", report_tags.c.tag, report_tags.c.report_key)

report_texts = sa.Table(
    "report_texts",
    metadata,
    sa.Column(
        "report_key", SurrogateKey, sa.ForeignKey("reports.key"), primary_key=True, autoincrement=False
    ),
    sa.Column("text", sa.Text, nullable=False),
)

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("key", SurrogateKey, primary_key=True),
    sa.Column("fingerprint", exact_text(200), nullable=False, unique=True),
    sa.Column("dataset", exact_text(255), nullable=False),
    sa.Column("ghost_type", exact_text(80), nullable=False),
    sa.Column("column_name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("severity", sa.SmallInteger, nullable=False),
    sa.Column("status", sa.SmallInteger, nullable=False),
    sa.Column("fixed_at", UtcDateTime),
    sa.Column("regressed_at", UtcDateTime),
    sa.Column("first_seen", UtcDateTime, nullable=False),
    sa.Column("last_seen", UtcDateTime, nullable=False),
    sa.Column("times_seen", sa.Integer, nullable=False),
    sa.Column("comment_count", sa.Integer, nullable=False),
    sa.Column("check_key", exact_text(32), nullable=False),
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
    sa.Column(
        "identity_key", SurrogateKey, sa.ForeignKey("identities.key"), primary_key=True, autoincrement=False
    ),
    sa.Column("tag", exact_text(500), primary_key=True),
    sqlite_with_rowid=False,
)
sa.Index("ix_identity_tags_tag", identity_tags.c.tag, identity_tags.c.identity_key)

identity_aliases = sa.Table(
    "identity_aliases",
    metadata,
    sa.Column("alias", exact_text(200), primary_key=True),
    sa.Column("identity_key", SurrogateKey, sa.ForeignKey("identities.key"), nullable=False),
    sa.Column("name", exact_text(200), nullable=False),
)
sa.Index("ix_identity_aliases_identity", identity_aliases.c.identity_key)

findings = sa.Table(
    "findings",
    metadata,
    sa.Column(
        "report_key", SurrogateKey, sa.ForeignKey("reports.key"), primary_key=True, autoincrement=False
    ),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("identity_key", SurrogateKey, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
    sa.Column("severity", sa.SmallInteger, nullable=False),
    sa.Column("ghost_type", exact_text(80), nullable=False),
    sa.Column("column_name", sa.Text, nullable=False),
    sa.Column("dataset", exact_text(255), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("row_count", sa.BigInteger),
    sa.Column("share", sa.Double),
    sa.Column("fingerprint", exact_text(200), nullable=False),
    sa.Column("metadata", JsonData, nullable=False),
    sa.Column("search_text", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
_F = findings.c
sa.Index("ix_findings_identity", _F.identity_key, _F.seen_at.desc(), _F.report_key, _F.row_count)

finding_rows = sa.Table(
    "finding_rows",
    metadata,
    sa.Column(
        "report_key", SurrogateKey, sa.ForeignKey("reports.key"), primary_key=True, autoincrement=False
    ),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

annotations_table = sa.Table(
    "annotations",
    metadata,
    sa.Column("key", SurrogateKey, primary_key=True),
    sa.Column("id", exact_text(200), nullable=False, unique=True),
    sa.Column("identity_key", SurrogateKey, sa.ForeignKey("identities.key"), nullable=False),
    sa.Column("finding_id", exact_text(200), nullable=False),
    sa.Column("report_id", exact_text(200)),
    sa.Column("author", exact_text(255), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("status", sa.SmallInteger),
    sa.Column("tags", JsonData, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted_at", UtcDateTime),
    sa.Column("search_text", sa.Text, nullable=False),
)
_A = annotations_table.c
sa.Index("ix_annotations_identity", _A.identity_key, _A.created_at, _A.id)
sa.Index(
    "ix_annotations_author",
    _A.author,
    _A.created_at.desc(),
    _A.id.desc(),
    sqlite_where=_LIVE,
    postgresql_where=_LIVE,
)
_HAS_REPORT = sa.text("report_id IS NOT NULL")
sa.Index("ix_annotations_report", _A.report_id, sqlite_where=_HAS_REPORT, postgresql_where=_HAS_REPORT)

rulesets = sa.Table(
    "rulesets",
    metadata,
    sa.Column("key", SurrogateKey, primary_key=True),
    sa.Column("name", exact_text(200), nullable=False, unique=True),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("rule_count", sa.Integer, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted_at", UtcDateTime),
    sa.Column("rules", JsonData, nullable=False),
    sa.Column("search_text", sa.Text, nullable=False),
)

triage = sa.Table(
    "triage",
    metadata,
    sa.Column("key", SurrogateKey, primary_key=True),
    sa.Column("id", exact_text(200), nullable=False, unique=True),
    sa.Column("assignee", exact_text(255), nullable=False),
    sa.Column("close_reason", sa.Text, nullable=False),
    sa.Column("snooze_until", UtcDateTime),
    sa.Column("snooze_factor", sa.Double),
    sa.Column("snooze_count", sa.BigInteger),
    sa.Column("snooze_share", sa.Double),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("merged_into", exact_text(200), nullable=False),
    sa.Column("stands_alone", sa.Boolean, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted_at", UtcDateTime),
)

known_people = sa.Table(
    "known_people",
    metadata,
    sa.Column("key", SurrogateKey, primary_key=True),
    sa.Column("id", exact_text(200), nullable=False, unique=True),
    sa.Column("mail", sa.String(320), nullable=False),
    sa.Column("initials", sa.String(4), nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted_at", UtcDateTime),
)

saved_views = sa.Table(
    "saved_views",
    metadata,
    sa.Column("key", SurrogateKey, primary_key=True),
    sa.Column("id", exact_text(200), nullable=False, unique=True),
    sa.Column("author", exact_text(255), nullable=False),
    sa.Column("query", JsonData, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted_at", UtcDateTime),
)

dataset_settings = sa.Table(
    "dataset_settings",
    metadata,
    sa.Column("key", SurrogateKey, primary_key=True),
    sa.Column("id", exact_text(200), nullable=False, unique=True),
    sa.Column("settings", JsonData, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted_at", UtcDateTime),
)

evidence = sa.Table(
    "evidence",
    metadata,
    sa.Column("key", SurrogateKey, primary_key=True),
    sa.Column("id", exact_text(200), nullable=False, unique=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("content", JsonData, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted_at", UtcDateTime),
)

incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("key", SurrogateKey, primary_key=True),
    sa.Column("id", exact_text(200), nullable=False, unique=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("assignee", exact_text(255), nullable=False),
    sa.Column("members", JsonData, nullable=False),
    sa.Column("created_by", exact_text(255), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted_at", UtcDateTime),
)

worklists = sa.Table(
    "worklists",
    metadata,
    sa.Column("key", SurrogateKey, primary_key=True),
    sa.Column("id", exact_text(200), nullable=False, unique=True),
    sa.Column("report_id", exact_text(200), nullable=False),
    sa.Column("dataset", exact_text(255), nullable=False),
    sa.Column("owner", exact_text(255), nullable=False),
    sa.Column("created_by", exact_text(255), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("row_count", sa.BigInteger, nullable=False),
    sa.Column("done_count", sa.BigInteger, nullable=False),
    sa.Column("cannot_count", sa.BigInteger, nullable=False),
    sa.Column("findings", JsonData, nullable=False),
    sa.Column("answers", JsonData, nullable=False),
    sa.Column("last_read", JsonData, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted_at", UtcDateTime),
)

sa.Index("ix_worklists_report", worklists.c.report_id)

notifications = sa.Table(
    "notifications",
    metadata,
    sa.Column("key", SurrogateKey, primary_key=True),
    sa.Column("id", exact_text(200), nullable=False, unique=True),
    sa.Column("channel", exact_text(255), nullable=False),
    sa.Column("event", exact_text(40), nullable=False),
    sa.Column("recipient", exact_text(255), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("content", JsonData, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("attempts", sa.BigInteger, nullable=False),
    sa.Column("next_attempt_at", UtcDateTime),
    sa.Column("delivered_at", UtcDateTime),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted_at", UtcDateTime),
)

channels = sa.Table(
    "notification_channels",
    metadata,
    sa.Column("key", SurrogateKey, primary_key=True),
    sa.Column("id", exact_text(200), nullable=False, unique=True),
    sa.Column("cursor", sa.Text, nullable=False),
    sa.Column("checked_until", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted_at", UtcDateTime),
)

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("key", SurrogateKey, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", exact_text(255), nullable=False),
    sa.Column("component", exact_text(40), nullable=False),
    sa.Column("record_id", exact_text(200), nullable=False),
    sa.Column("operation", exact_text(20), nullable=False),
    sa.Column("before", JsonData),
    sa.Column("after", JsonData),
    sqlite_autoincrement=True,
)
sa.Index("ix_audit_log_record", audit_log.c.component, audit_log.c.record_id, audit_log.c.key)

# A migration from another store adds older events with newer keys, so the log is sorted by time.
sa.Index("ix_audit_log_at", audit_log.c.at.desc(), audit_log.c.key.desc())

migrations_table = sa.Table(
    "moves",
    metadata,
    sa.Column("id", exact_text(200), primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("actor", exact_text(255), nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("finished_at", UtcDateTime),
    sa.Column("options", JsonData, nullable=False),
    sa.Column("outcome", JsonData),
)

seed_runs = sa.Table(
    "seed_runs",
    metadata,
    sa.Column("name", exact_text(200), primary_key=True),
    sa.Column("checksum", exact_text(64), nullable=False),
    sa.Column("applied_at", UtcDateTime, nullable=False),
)

RECORD_TABLES: dict[type, sa.Table] = {
    ReportRecord: reports,
    FindingRecord: findings,
    AnnotationRecord: annotations_table,
    RuleSetRecord: rulesets,
    TriageRecord: triage,
    PersonRecord: known_people,
    ViewRecord: saved_views,
    DatasetSettingsRecord: dataset_settings,
    EvidenceRecord: evidence,
    IncidentRecord: incidents,
    WorklistRecord: worklists,
    NotificationRecord: notifications,
    ChannelRecord: channels,
    AuditEvent: audit_log,
    MigrationRecord: migrations_table,
}
"""The table of each kind of record."""
for _record_class, _table in RECORD_TABLES.items():
    add_later_columns(_table, _record_class)
