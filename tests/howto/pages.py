"""Where the how-to pages lie, and what is read out of their files."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "docs" / "how-to" / "forgejo-and-jupyterhub"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))

# How Forgejo's container spells what a variable's name cannot hold.
_ESCAPED = re.compile(r"_0[xX]([0-9a-fA-F]{2})_")


def forgejo_settings() -> list[tuple[str, str, str]]:
    """Return section, key and value of what compose.yaml sets in Forgejo's configuration file."""
    found = []
    for name, value in COMPOSE["services"]["forgejo"]["environment"].items():
        prefix, section, key = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), name).split("__")
        assert prefix == "FORGEJO"
        found.append((section.lower(), key, value))
    return found


def forgejo_ini() -> str:
    """Return the same as a configuration file, without what depends on the machine's address."""
    lines = [f"[{section}]\n{key} = {value}\n" for section, key, value in forgejo_settings() if "${" not in value]
    return "".join(lines)


def copy_hub_configuration(place: Path) -> Path:
    """Copy what the image has in /etc/jupyterhub, and return where its jupyterhub_config.py is then."""
    folder = place / "jupyterhub"
    folder.mkdir()
    for source in re.findall(r"^COPY (\S+) /etc/jupyterhub/", (FOLDER / "Dockerfile").read_text(), flags=re.MULTILINE):
        shutil.copy(ROOT / source, folder)
    return folder / "jupyterhub_config.py"
