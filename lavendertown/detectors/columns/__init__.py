"""Checks of the values of one column of any kind."""
