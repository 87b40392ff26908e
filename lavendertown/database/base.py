"""The declarative base of an application's own classes."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Classes derived from it are known to LavenderTown by being imported."""
