"""The business rules of the demo team, which run with each delivery. Some rows of the tables break them."""

from __future__ import annotations

from lavendertown.rules.check_configuration import CheckConfiguration
from lavendertown.rules.models import Rule

CHECKS = {
    "movies": CheckConfiguration(
        rules=(
            Rule(
                "A film lasts at least 40 minutes",
                "Shorter ones are short films, which we do not list.",
                "range",
                "Runtime",
                {"min_value": 40},
            ),
            Rule(
                "The rating is one of today",
                "Ratings of other times are translated before they reach us.",
                "enum",
                "Rating",
                {"allowed_values": ["G", "PG", "PG-13", "R", "NC-17"]},
            ),
        )
    ),
    "passengers": CheckConfiguration(
        rules=(
            Rule(
                "There are three classes",
                "As the shipping company sold them.",
                "enum",
                "class",
                {"allowed_values": ["1st", "2nd", "3rd"]},
            ),
        )
    ),
    "penguins": CheckConfiguration(
        rules=(
            Rule(
                "An adult weighs 2.5 to 6.5 kg",
                "Outside, somebody read the scale wrong.",
                "range",
                "Body Mass (g)",
                {"min_value": 2500, "max_value": 6500},
            ),
        )
    ),
}
"""The check configuration of each dataset."""
