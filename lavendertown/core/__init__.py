"""Foundations for every package: settings, time, JSON, errors, fingerprints, locks, limits."""
