"""The environment that git gets: built from nothing, with a reason beside each entry.

Knows variables and configuration keys. What the user, the machine or a folder has configured for git does not reach
our commands, and what is secret (the ``Authorization`` header) travels here and nowhere else.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

Version = tuple[int, int]
Setting = tuple[str, str]

# Taken over from our own environment if they are set there.
INHERITED = (
    "PATH",  # git finds its own programs and, on some systems, ours finds git
    "LD_LIBRARY_PATH",  # a git out of an environment module (clusters) needs its libraries
    "http_proxy",  # some campus networks reach the forge through a proxy only; curl reads just this spelling for http
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",  # certificate authorities of the institution
    "SSL_CERT_DIR",
    "TMPDIR",  # where the administrator wants temporary files
    "TMP",
    "TEMP",
    "SYSTEMROOT",  # Windows opens no socket without it
)

FIXED = {
    "LC_ALL": "C",  # messages are recognised in English
    "LANG": "C",
    "LANGUAGE": "C",
    "HOME": os.devnull,  # no ~/.gitconfig (git < 2.32 has no GIT_CONFIG_GLOBAL), no ~/.netrc with other credentials
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",  # attributes change what is read
    "GIT_TERMINAL_PROMPT": "0",  # nobody sits there to answer
    "GIT_ASKPASS": "",  # set and empty: neither core.askPass nor SSH_ASKPASS is tried
    "SSH_ASKPASS": "",
    "GIT_NO_REPLACE_OBJECTS": "1",  # refs/replace must not show another tree than the one that was pushed
    "GIT_OPTIONAL_LOCKS": "0",
    "GCM_INTERACTIVE": "never",
    # A few kilobytes of a pack can ask for gigabytes at once (deltas). Git itself streams what is larger than 512 MB.
    "GIT_ALLOC_LIMIT": "600m",
}

_NOWHERE = os.devnull

CONFIGURATION: tuple[Setting, ...] = (
    ("core.hooksPath", _NOWHERE),  # no hook of ours or of anybody's template
    ("core.fsmonitor", "false"),  # it would name a program
    ("core.attributesFile", _NOWHERE),
    ("core.excludesFile", _NOWHERE),
    ("core.askPass", ""),
    ("core.logAllRefUpdates", "false"),
    ("core.bigFileThreshold", "32m"),  # larger blobs are streamed, so that memory does not grow with files
    ("credential.helper", ""),  # an empty value forgets those set before
    ("protocol.allow", "never"),
    ("protocol.http.allow", "always"),
    ("protocol.https.allow", "always"),
    ("http.followRedirects", "false"),  # a redirect would carry the token elsewhere
    ("http.sslVerify", "true"),
    ("http.cookieFile", ""),
    ("transfer.fsckObjects", "true"),
    ("fetch.fsckObjects", "true"),
    # Old clients wrote these; GitLab's own configuration lets them pass too, and they harm nobody.
    ("fetch.fsck.badTimezone", "ignore"),
    ("fetch.fsck.missingSpaceBeforeDate", "ignore"),
    ("fetch.fsck.zeroPaddedFilemode", "ignore"),
    ("fetch.unpackLimit", "1"),  # a pack appears whole or not at all; loose objects could stay behind half written
    ("transfer.unpackLimit", "1"),
    ("fastimport.unpackLimit", "0"),
    ("fetch.recurseSubmodules", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("transfer.bundleURI", "false"),  # the server may not send us to another address
    ("push.followTags", "false"),
    ("push.gpgSign", "false"),
    ("push.recurseSubmodules", "no"),
    ("gc.auto", "0"),  # repacking is our decision: see cache
    ("gc.autoDetach", "false"),
    ("maintenance.auto", "false"),
    ("pack.threads", "1"),  # our own pool is what runs in parallel; more threads only take memory
    ("pack.windowMemory", "64m"),
    ("init.defaultBranch", "main"),
    ("i18n.logOutputEncoding", "UTF-8"),
    ("log.showSignature", "false"),
)


def variables(settings: Sequence[Setting], version: Version, own: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the complete environment for a git of this version; ``settings`` come after the fixed configuration."""
    found = {name: own[name] for name in INHERITED if name in own}
    found.update(FIXED)
    found.update(_configuration([*CONFIGURATION, *settings], version))
    return found


def unconfigured(own: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return our own environment, in which git reads the user's configuration but asks nobody and follows no folder."""
    found = {name: value for name, value in own.items() if not name.startswith("GIT_")}
    found.update({name: FIXED[name] for name in ("LC_ALL", "GIT_TERMINAL_PROMPT", "GIT_ASKPASS", "SSH_ASKPASS")})
    found["GCM_INTERACTIVE"] = "never"
    found["GIT_DIR"] = _NOWHERE
    return found


def remote_settings(authorization: Mapping[str, str], ca_bundle: Path | None, stall: float) -> Iterator[Setting]:
    """Yield what commands that reach the server need. ``authorization`` maps URL prefixes to header values."""
    for prefix, header in authorization.items():
        yield f"http.{prefix}.extraHeader", f"Authorization: {header}"
    if ca_bundle is not None:
        yield "http.sslCAInfo", str(ca_bundle)
    yield "http.lowSpeedLimit", "1"
    yield "http.lowSpeedTime", str(max(1, round(stall)))


def secrets_in(authorization: Mapping[str, str]) -> list[str]:
    """Return every spelling in which the headers' secrets could turn up in a message."""
    found = []
    for header in authorization.values():
        encoded = header.rpartition(" ")[2]
        found += [header, encoded]
        with suppress(binascii.Error, UnicodeDecodeError):
            found.append(base64.b64decode(encoded, validate=True).decode().partition(":")[2])
    return [secret for secret in found if secret]


def _configuration(settings: Sequence[Setting], version: Version) -> dict[str, str]:
    if version < (2, 31):
        # Before GIT_CONFIG_COUNT (2.31) the only way past argv is what git itself uses to hand `-c` to its children.
        return {"GIT_CONFIG_PARAMETERS": " ".join(_quoted(f"{key}={value}") for key, value in settings)}
    found = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        found[f"GIT_CONFIG_KEY_{number}"] = key
        found[f"GIT_CONFIG_VALUE_{number}"] = value
    return found


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''").replace("!", "'\\!'") + "'"
