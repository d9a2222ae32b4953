"""Which versions of Gitea and Forgejo have holes that students, who may write, could use. Pure.

The bounds are those of the published advisories; the holes that our rules close themselves (renaming a branch into a
protected name, merging into one) are not counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from git_exchange.forge.ports import Concern

_FORGEJO = re.compile(r"(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?\+gitea-")
_GITEA = re.compile(r"(?:v)?(\d+)\.(\d+)\.(\d+)(?=$|[-+])")

# A Gitea below this lets whoever may write to a project run programs on the server (CVE-2026-60004).
GITEA_FLOOR = (1, 27, 1)
# The same by templates (CVE-2026-89094), for each line that still gets corrections.
FORGEJO_FLOORS = {15: (15, 0, 8), 16: (16, 0, 4)}


@dataclass(frozen=True)
class Version:
    """What ``GET /version`` says. ``kind`` is "gitea" or "forgejo"."""

    kind: str
    numbers: tuple[int, int, int]


def parse(said: str) -> Version | None:
    """Return the version, None if it is not written as either of the two writes it.

    Forgejo gives the Gitea version that it is compatible with behind its own: "16.0.5+gitea-1.22.0".
    """
    for kind, pattern in (("forgejo", _FORGEJO), ("gitea", _GITEA)):
        found = pattern.match(said)
        if found is not None:
            major, minor, patch = (int(part) for part in found.groups()[:3])
            return Version(kind, (major, minor, patch))
    return None


def concern(said: str) -> Concern | None:
    """Return what is wrong with a server of this version, None if nothing is known."""
    version = parse(said)
    if version is None:
        return Concern("warning", f"The version {said!r} is not known.", "Check that it is a supported release.")
    if version.kind == "gitea":
        if version.numbers < GITEA_FLOOR:
            return _hole("Gitea", version, "Gitea 1.27.1 or later")
        return None
    if version.numbers[0] < min(FORGEJO_FLOORS):
        return _hole("Forgejo", version, "Forgejo 15.0.8 or 16.0.4, or later")
    floor = FORGEJO_FLOORS.get(version.numbers[0])
    if floor is not None and version.numbers < floor:
        return _hole("Forgejo", version, f"Forgejo {_dotted(floor)} or later")
    return None


def _hole(product: str, version: Version, wanted: str) -> Concern:
    return Concern(
        "failed",
        f"{product} {_dotted(version.numbers)} has known holes by which whoever can submit can take over the server.",
        f"Upgrade to {wanted}.",
    )


def _dotted(numbers: tuple[int, int, int]) -> str:
    return ".".join(str(number) for number in numbers)
