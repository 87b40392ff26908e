"""Checks of columns of text."""
