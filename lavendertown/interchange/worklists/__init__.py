"""Worklists: Excel files with the failing rows of findings, which people fill in and send back."""
