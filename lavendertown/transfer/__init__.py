"""Migration between any two stores: dry run, copy, verification and the switch to the new store;
backups and bundles."""
