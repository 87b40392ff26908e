"""Rules a team writes down for its data."""
