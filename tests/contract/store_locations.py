"""Places where a store lives: opened as often as wanted, in this process or another."""

from __future__ import annotations

from dataclasses import dataclass

from lavendertown.collaboration.storage import FileStorage, Storage


@dataclass(frozen=True)
class StoreLocation:
    """A backend's name (file, sqlite, postgres, mariadb) and its folder or database URL."""

    backend: str
    where: str

    def open_storage(self) -> Storage:
        if self.backend == "file":
            return FileStorage(self.where)
        from lavendertown.collaboration.database_storage import DatabaseStorage

        return DatabaseStorage(self.where)
