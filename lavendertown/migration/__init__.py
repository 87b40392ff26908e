"""Any store to any store: dry run, move, verification, and the switch to the new one."""
