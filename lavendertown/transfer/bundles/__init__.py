"""Bundles: reports with their evidence, threads and triage in one file, merged elsewhere by identity."""
