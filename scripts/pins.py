"""Print constraints.txt: the installed versions of everything the project depends on.

``make pins`` runs it. It names packages and versions only, never an address.
"""

from __future__ import annotations

from importlib.metadata import distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HEADER = "# The versions that the tests ran on; `make pins` writes this file."


def tree(name: str, extras: set[str], seen: dict[str, set[str]]) -> None:
    """Add the package and all it needs on this machine to ``seen``, each with the extras asked for."""
    key = canonicalize_name(name)
    wanted = {"", *extras}
    if key in seen and wanted <= seen[key]:
        return
    seen[key] = seen.get(key, set()) | wanted
    for line in distribution(name).requires or []:
        needed = Requirement(line)
        if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in wanted):
            tree(needed.name, set(needed.extras), seen)


def main() -> None:
    seen: dict[str, set[str]] = {}
    tree("lavendertown", {"all", "mariadb", "test"}, seen)
    print(HEADER)
    for name in sorted(set(seen) - {"lavendertown"}):
        print(f"{name}=={distribution(name).version}")


if __name__ == "__main__":
    main()
