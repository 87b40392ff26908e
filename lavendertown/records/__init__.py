"""Records: declared fields, validation, the write path with its rules and hooks, and the store interface."""
