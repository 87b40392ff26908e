from tests.migration.conftest import make_place

__all__ = ["make_place"]
