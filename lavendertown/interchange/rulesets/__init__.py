"""Rule sets in the formats of other tools: one format a module, to and from rule sets."""

from lavendertown.interchange.rulesets.formats import (
    IMPORT_FORMATS,
    RULESET_FORMATS,
    read_rules,
    write_rules,
)
from lavendertown.interchange.rulesets.translation import ReadRules, RuleFormatError

__all__ = [
    "IMPORT_FORMATS",
    "RULESET_FORMATS",
    "ReadRules",
    "RuleFormatError",
    "read_rules",
    "write_rules",
]
