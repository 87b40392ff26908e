"""Planted errors: clean tables, functions that damage them, and the score of the checks on both."""
