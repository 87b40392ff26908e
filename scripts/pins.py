"""Print constraints.txt with the installed versions of all dependencies, for ``make pins``.

The output contains only packages and versions, no URLs.
"""

from __future__ import annotations

from importlib.metadata import distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HEADER = "# The versions that the tests ran on; `make pins` writes this file."


def collect_dependencies(name: str, extras: set[str], seen: dict[str, set[str]]) -> None:
    """Add a package and its installed dependencies to ``seen``, each with its requested extras."""
    key = canonicalize_name(name)
    requested = {"", *extras}
    if key in seen and requested <= seen[key]:
        return
    seen[key] = seen.get(key, set()) | requested
    for line in distribution(name).requires or []:
        requirement = Requirement(line)
        if requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra}) for extra in requested
        ):
            collect_dependencies(requirement.name, set(requirement.extras), seen)


def main() -> None:
    seen: dict[str, set[str]] = {}
    collect_dependencies("lavendertown", {"all", "engines", "mariadb", "test"}, seen)
    print(HEADER)
    for name in sorted(set(seen) - {"lavendertown"}):
        print(f"{name}=={distribution(name).version}")


if __name__ == "__main__":
    main()
