"""Rules that a team defines for its data."""
