"""The file store: plain JSON files, atomic, locked across processes. The embedded default."""

from lavendertown.records.files.store import FileStore

__all__ = ["FileStore"]
