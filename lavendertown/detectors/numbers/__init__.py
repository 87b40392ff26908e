"""Checks of columns of numbers."""
