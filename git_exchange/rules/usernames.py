"""User names for accounts that are made for people: valid on every kind of forge. Pure."""

from __future__ import annotations

import re
import unicodedata

# Gitea's and Forgejo's limit; GitLab's is wider.
LONGEST = 40
# What neither GitLab nor Gitea takes as a name's end: https://docs.gitlab.com/user/reserved_names/
_FILE_LIKE = re.compile(r"\.(?=(atom|git|gpg|keys|png|rss)$)")


def username_from(said: str) -> str:
    """Return the user name that ``said`` (a login, the first part of an address) gives, "" if nothing is left of it.

    Accents go, what is neither letter nor digit becomes one dot or dash, letters are lower-case.
    """
    plain = unicodedata.normalize("NFKD", said).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9._-]", "-", plain)
    name = re.sub(r"([._-])[._-]+", r"\1", name).strip("._-")
    return _FILE_LIKE.sub("-", name[:LONGEST].rstrip("._-"))
