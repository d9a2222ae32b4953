"""Our key pair as an LTI tool: made once, its public half published to the LMS as a JWKS."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from jwt.algorithms import RSAAlgorithm

from git_exchange.errors import ConfigurationError

BITS = 3072
LEAST_BITS = 2048  # PyJWT only warns below


@dataclass(frozen=True)
class ToolKey:
    """A private key and the name (``kid``) under which its public half is published."""

    key_id: str
    private: RSAPrivateKey = field(repr=False)


def make_key(path: Path) -> ToolKey:
    """Write a new private key to ``path`` (mode 0600). Raise ConfigurationError if something is there already."""
    private = generate_private_key(public_exponent=65537, key_size=BITS)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ConfigurationError(
            f"{path} exists already and was not touched: the LMS may know its public half.",
            hint="Name another file; during a change of keys both are published.",
        ) from error
    except OSError as error:
        raise ConfigurationError(f"The key cannot be written to {path}: {error.strerror}.") from error
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
    return ToolKey(_thumbprint(private), private)


def read_key(path: Path, key_id: str = "") -> ToolKey:
    """Return the private key in a PEM file; its name is ``key_id``, else its RFC 7638 thumbprint.

    Raise ConfigurationError if it is no RSA key of at least 2048 bits, or others can read it.
    """
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise ConfigurationError(
                f"Other users of this machine can read the private key {path}.",
                hint=f"Run: chmod 600 {path}  (and make a new key if it may have been read).",
            )
        private = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ConfigurationError(
            f"The private key {path} cannot be read: {error.strerror}.", hint="Make one: git-exchange lti keys"
        ) from error
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            f"{path} is not a private key in PEM form without a password.", hint="Make one: git-exchange lti keys"
        ) from error
    if not isinstance(private, RSAPrivateKey) or private.key_size < LEAST_BITS:
        raise ConfigurationError(
            f"{path} is not an RSA key of at least {LEAST_BITS} bits.", hint="Make one: git-exchange lti keys"
        )
    return ToolKey(key_id or _thumbprint(private), private)


def public_pem(key: ToolKey) -> str:
    """Return the public half as PEM, for LMSs in which it is pasted (Moodle's "RSA key")."""
    return key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def jwks(keys: Iterable[ToolKey]) -> dict[str, Any]:
    """Return the public halves as a JSON Web Key Set; Canvas wants ``alg`` and ``use`` in each."""
    return {"keys": [{**_public(key.private), "kid": key.key_id, "alg": "RS256", "use": "sig"} for key in keys]}


def _public(private: RSAPrivateKey) -> dict[str, Any]:
    said = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return {name: said[name] for name in ("kty", "n", "e")}


def _thumbprint(private: RSAPrivateKey) -> str:
    canonical = json.dumps(_public(private), sort_keys=True, separators=(",", ":")).encode()
    return urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode("ascii")
