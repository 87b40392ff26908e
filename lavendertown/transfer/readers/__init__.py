"""Read any store as the source of a migration, record by record."""
