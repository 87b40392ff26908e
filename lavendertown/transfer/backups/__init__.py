"""Backups and archives: write a store into one file and restore it."""
