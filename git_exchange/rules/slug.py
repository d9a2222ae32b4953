"""Names for arbitrary ids: reversible, distinct without regard to case, valid on every forge and in git refs.

Three forms, told apart by their first characters and by ``_``, which a plain slug never holds:

* plain: the id itself, where it is harmless (``alice``, ``ps1``, ``intro-2026``);
* escaped: ``x`` and the UTF-8 bytes of the id, everything but ``[a-z0-9]`` as ``_hh`` (``A`` is ``x_41``);
* hashed: ``h_`` and 40 digits of SHA-256, where the others would be too long; the id has to be recorded elsewhere.

This is the format of what lies on servers: neither the rules nor the lists below may ever change for existing courses.
"""

from __future__ import annotations

import hashlib
import re

# "student-" in front leaves room below the 100 characters that Gitea allows for a repository.
MAX_SLUG = 80

_PLAIN = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
_ESCAPED = re.compile(r"x(?:[a-z0-9]|_[0-9a-f]{2})+")
_HASHED = re.compile(r"h_[0-9a-f]{40}")
_TOKEN = re.compile(r"_([0-9a-f]{2})|([a-z0-9])")
_KEPT = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789")

# .git, .atom: GitLab's paths; .wiki, .rss, .keys, .gpg, .png: Gitea's repositories and users; .lock: git's refs.
_ENDINGS = (".git", ".atom", ".lock", ".wiki", ".rss", ".keys", ".gpg", ".png")

# Words that GitLab (doc/user/reserved_names.md, lib/gitlab/path_regex.rb) or Gitea and Forgejo (models/user/user.go)
# keep for their own routes, as far as they would be plain.
_RESERVED = frozenset(
    """
    404.html 422.html 500.html 502.html 503.html admin api apple-touch-icon-precomposed.png
    apple-touch-icon.png assets autocomplete ci dashboard deploy.html explore favicon.ico favicon.png files groups
    help import invites jwt koding login oauth profile projects public robots.txt s search sitemap sitemap.xml
    sitemap.xml.gz slash-command-logo.png snippets u unsubscribe unsubscribes uploads users v2

    badges blame blob builds commits create edit new preview raw refs tree update wikis

    attachments avatar avatars captcha cli commit css debug devtest error fonts forgejo-actions ghost gitea-actions img
    install issues js less manifest.json metrics milestones notifications org plugins pulls repo repo-avatars
    serviceworker.js stars swagger.v1.json template templates user
    """.split()  # noqa: SIM905 - a hundred quotes would hide the words
)


def encode(text: str) -> str:
    """Return the slug of an id. Raise ValueError if it is empty or not text (lone surrogates)."""
    if not text:
        raise ValueError("an empty id has no name")
    data = text.encode("utf-8")  # UnicodeEncodeError, which is a ValueError, for lone surrogates
    slug = text if _is_plain(text) else _escape(data)
    return slug if len(slug) <= MAX_SLUG else f"h_{hashlib.sha256(data).hexdigest()[:40]}"


def decode(slug: str) -> str | None:
    """Return the id of a slug, None for the hashed form. Raise ValueError if ``encode`` never makes such a slug."""
    if _HASHED.fullmatch(slug):
        return None
    if _ESCAPED.fullmatch(slug) and "_" in slug:
        found = bytes(int(escaped, 16) if escaped else ord(kept) for escaped, kept in _TOKEN.findall(slug[1:]))
        text = found.decode("utf-8")  # UnicodeDecodeError is a ValueError, too
    else:
        text = slug
    if not text or encode(text) != slug:
        raise ValueError(f"not a name of ours: {slug!r}")
    return text


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and not text.endswith(_ENDINGS) and text not in _RESERVED


def _escape(data: bytes) -> str:
    """Return the escaped form, which always holds an escape: for reserved words that is the first byte."""
    first_too = all(byte in _KEPT for byte in data)
    return "x" + "".join(
        chr(byte) if byte in _KEPT and not (first_too and index == 0) else f"_{byte:02x}"
        for index, byte in enumerate(data)
    )
