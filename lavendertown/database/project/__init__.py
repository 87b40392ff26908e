"""A user project's own models and migrations, beside LavenderTown's."""
