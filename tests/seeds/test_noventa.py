"""The samples of the Noventa document run as written, with this package's session."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.core.settings import load_settings
from lavendertown.database.project.migrations import write_migration_files
from tests.database.project_files import GLOBAL_MODELS, USER_MODELS, forget, write

COMPONENT = """
from components.user.user_models import User

def load_template_context(request, session, db, **props):
    user_id = request.args.get("id")
    user = db.query(User).filter(User.id == user_id).first()
    return {"user": user}

def action_update_user(request, session, db, **props):
    user_id = request.form.get("user_id")
    user = db.query(User).filter(User.id == user_id).first()
    if user:
        user.name = request.form.get("name")
        db.commit()
    return {"message": "User updated!"}
"""
SEED = """
from sqlalchemy.orm import Session
from components.user.user_models import User

def seed_users(db: Session):
    # Create initial users
    admin = User(email="admin@example.com", name="Admin")
    db.add(admin)
    db.commit()
"""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def project(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A project as the document describes it, in the working folder."""
    url = "sqlite:///./noventa.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    monkeypatch.chdir(tmp_path)
    write(
        tmp_path,
        {
            "config.yaml": f'database: "{url}"\n',
            "components/user/user_models.py": USER_MODELS,
            "components/user/user.py": COMPONENT,
            "models/global_models.py": GLOBAL_MODELS,
            "migrations/seed/initial_users.py": SEED,
        },
    )
    write_migration_files(tmp_path)
    yield tmp_path
    forget(tmp_path)


def alembic(project: Path, *args: str, folder: Path | None = None) -> str:
    ini = "migrations/alembic.ini" if folder is None else str(project / "migrations/alembic.ini")
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "-c", ini, *args],
        cwd=folder or project,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def commit_within(storage: DatabaseStorage, user: type) -> None:
    """Commit one name in a joined block; then change it twice more, and fail."""
    with storage.session() as db:
        with storage.session() as inner:
            inner.query(user).one().name = "Ben"
            inner.commit()
            inner.query(user).one().name = "Cas"
        db.query(user).one().name = "Dan"
        raise RuntimeError


@pytest.mark.slow
def test_the_document_s_samples_run_as_written(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alembic(project, "revision", "--autogenerate", "-m", "Add user table")
    alembic(project, "upgrade", "head")
    monkeypatch.syspath_prepend(str(project))
    from components.user.user import action_update_user, load_template_context
    from components.user.user_models import User

    settings = load_settings(project)
    assert settings.origins["database_url"] == "config.yaml"
    storage = DatabaseStorage(settings.database_url)
    seed: dict[str, object] = {}
    exec((project / "migrations/seed/initial_users.py").read_text(), seed)
    with storage.session() as db:
        seed["seed_users"](db)
        assert db.query(User).count() == 1
    with storage.session() as db:
        key = db.query(User).one().id
        request = SimpleNamespace(args={"id": key}, form={"user_id": key, "name": "Ana"})
        assert action_update_user(request, None, db) == {"message": "User updated!"}
        assert load_template_context(request, None, db)["user"].name == "Ana"
    with storage.session() as db:
        assert db.query(User.name).all() == [("Ana",)]
    with pytest.raises(RuntimeError):
        commit_within(storage, User)
    with storage.session() as db:
        assert db.query(User.name).all() == [("Ben",)]
    storage.close()
    elsewhere = project / "elsewhere"
    elsewhere.mkdir()
    assert "(head)" in alembic(project, "current", folder=elsewhere)
    alembic(project, "downgrade", "-1", folder=elsewhere)
    alembic(project, "upgrade", "head", folder=elsewhere)
    assert list(elsewhere.iterdir()) == []
    alembic(project, "check")
    alembic(project, "downgrade", "-1")
    assert "CREATE TABLE users" in alembic(project, "upgrade", "head", "--sql")
