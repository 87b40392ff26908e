"""A migrated store continues its notifications: nothing is sent twice, and nothing is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import FileStorage, Storage
from lavendertown.core.notification_channels import NotificationChannel
from lavendertown.transfer.migrator import migrate_store
from lavendertown.transfer.values import MigrationRequest
from tests.contract.builders import annotation
from tests.contract.test_desk import name_of, run

TEAM = NotificationChannel("team", "webhook", url="http://127.0.0.1:9/", allow_private=True)


def open_store(address: str) -> Storage:
    return DatabaseStorage(address) if "://" in address else FileStorage(address)


def mention(storage: Storage, text: str) -> None:
    storage.save_annotation(annotation(name_of(), author="Ana", comment=f"@Ben {text}"))


@pytest.mark.parametrize("to_database", [True, False])
def test_a_channel_continues_after_a_migration(tmp_path: Path, to_database: bool) -> None:
    places = [str(tmp_path / "files"), f"sqlite:///{tmp_path / 'team.db'}"]
    source, target = places if to_database else reversed(places)
    storage = open_store(source)
    storage.people.save("Ben")
    storage.save_report(run(1, "email"))
    storage.notifications.collect(TEAM)
    mention(storage, "before")
    assert storage.notifications.collect(TEAM) == 1
    mention(storage, "meanwhile")
    storage.close()
    assert migrate_store(MigrationRequest(source, target)).verified
    storage = open_store(target)
    assert storage.notifications.collect(TEAM) == 1
    mention(storage, "after")
    assert storage.notifications.collect(TEAM) == 1
    assert storage.notifications.collect(TEAM) == 0
    assert storage.notifications.count() == 3
    storage.close()
