"""Results of other tools: one format a module, recognized by content."""

from lavendertown.interchange.reading import FORMAT_NAMES, ReadRun, read_runs
from lavendertown.interchange.runs import CheckResult, ImportedRun
from lavendertown.interchange.sources import ImportFileError

__all__ = ["FORMAT_NAMES", "CheckResult", "ImportFileError", "ImportedRun", "ReadRun", "read_runs"]
