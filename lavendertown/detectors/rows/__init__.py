"""Checks of whole rows, and of several columns together."""
