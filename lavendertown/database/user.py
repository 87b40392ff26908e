"""People as objects of a session: those LavenderTown knows, with name, mail and initials."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Mapped, composite

from lavendertown import clock
from lavendertown.database import tables
from lavendertown.database.base import Base


@dataclass(frozen=True)
class Profile:
    """What is known of somebody beside the name.

    Attributes:
        mail: Their address, empty where it is not known.
        initials: For their picture, at most 4 letters; empty: made from the name.
    """

    mail: str = ""
    initials: str = ""


class User(Base):
    """Somebody the team knows: suggested wherever an author or somebody to look after a finding is asked for.

    In the database that keeps the team's reports, whoever is added and committed is known at once.

    Args:
        name: As it stands beside reports and comments; each name once.
        profile: The rest. A new :class:`Profile` is assigned to change it.
    """

    __table__ = tables.known_people.to_metadata(Base.metadata)

    key: Mapped[int]
    name: Mapped[str]
    mail: Mapped[str]
    initials: Mapped[str]
    updated_at: Mapped[dt.datetime]
    version: Mapped[int]
    deleted_at: Mapped[dt.datetime | None]

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
        self.updated_at = clock.now()
