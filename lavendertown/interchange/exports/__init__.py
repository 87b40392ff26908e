"""Exports: reports and lists of findings in the formats that other people and tools read."""

from lavendertown.interchange.exports.content import ExportContent, ExportedFinding

__all__ = ["ExportContent", "ExportedFinding"]
