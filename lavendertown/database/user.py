"""The people that LavenderTown knows, as a mapped class: name, email address and initials."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Mapped, composite

from lavendertown.core import clock
from lavendertown.database.base import Base
from lavendertown.stores.sql.schema import tables


@dataclass(frozen=True)
class Profile:
    """The email address and initials of a person.

    Attributes:
        mail: The email address; empty if unknown.
        initials: The initials for the avatar, at most 4 letters; if empty, they are derived from the name.
    """

    mail: str = ""
    initials: str = ""


class User(Base):
    """A person, suggested in all fields for an author or an assignee.

    In the database of the team's reports, a person is suggested as soon as the row is committed.

    Args:
        name: The name shown with reports and comments; unique.
        profile: The email address and initials. To change them, assign a new :class:`Profile`.
    """

    __table__ = tables.known_people.to_metadata(Base.metadata)

    key: Mapped[int]
    name: Mapped[str]
    mail: Mapped[str]
    initials: Mapped[str]
    updated_at: Mapped[dt.datetime]
    version: Mapped[int]
    deleted_at: Mapped[dt.datetime | None]
    hidden_columns: Mapped[list[str]]

    __mapper_args__ = {  # noqa: RUF012
        "properties": {
            "name": __table__.c.id,
            "profile": composite(Profile, __table__.c.mail, __table__.c.initials),
        },
        "version_id_col": __table__.c.version,
    }

    def __init__(self, name: str, profile: Profile | None = None) -> None:
        self.name = name
        self.profile = profile or Profile()
        self.hidden_columns = []
        self.updated_at = clock.now()
