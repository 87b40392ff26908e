"""Evidence: column profiles, and sample rows of findings."""
