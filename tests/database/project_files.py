"""Projects with models of their own, written into a folder."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

USER_MODELS = """
# components/user/user_models.py
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class User(Base):
    __tablename__ = "users"
    
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column()
"""  # noqa: W293
GLOBAL_MODELS = """
# models/global_models.py
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class SystemSetting(Base):
    __tablename__ = "system_settings"
    
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    value: Mapped[str] = mapped_column()
"""  # noqa: W293


def write(root: Path, texts: Mapping[str, str]) -> None:
    """Write files below a folder."""
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def forget(root: Path) -> None:
    """Let go of the modules that were imported from a folder."""
    sys.path[:] = [each for each in sys.path if each != str(root)]
    for name in [each for each in sys.modules if each.split(".")[0] in ("models", "components")]:
        del sys.modules[name]
