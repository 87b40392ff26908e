"""Importers: a module for each tool's format."""
