"""The write path, and the stores beneath it that know no rule."""
