"""The database room: SQLAlchemy and alembic live here and nowhere else."""
