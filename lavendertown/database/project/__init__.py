"""The models and migrations of a user's project."""
