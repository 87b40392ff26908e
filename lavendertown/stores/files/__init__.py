"""The file store, the default: JSON files, written atomically and locked across processes."""

from lavendertown.stores.files.store import FileStore

__all__ = ["FileStore"]
