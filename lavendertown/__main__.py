"""Run the command line: ``python -m lavendertown`` is the same as ``lavendertown``."""

from __future__ import annotations

from lavendertown.cli import main

if __name__ == "__main__":
    main()
