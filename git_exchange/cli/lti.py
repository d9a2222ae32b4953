"""``git-exchange lti``: our side of the registration with an LMS."""

from __future__ import annotations

import json
from pathlib import Path

import click

from git_exchange.provisioning.lms.keys import jwks, make_key, public_pem, read_key
from git_exchange.provisioning.lms.lti_token import LINE_ITEM_SCOPE, RESULT_SCOPE, ROSTER_SCOPE, SCORE_SCOPE

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def lti() -> None:
    """Register with an LMS by LTI 1.3."""


@lti.command()
@click.argument("key", metavar="KEYFILE", type=_FILE)
@click.option(
    "--also", multiple=True, type=_FILE, help="Publish this key too, during a change of keys. Can be repeated."
)
@click.option("--jwks", "only_jwks", is_flag=True, help="Print the JWKS alone, for a file that a web server publishes.")
def keys(key: Path, also: tuple[Path, ...], only_jwks: bool) -> None:
    """Make the private key in KEYFILE unless it is there, and print what the LMS's form asks for.

    The file stays on this machine and is readable by you alone; what is printed is public.
    """
    made = not key.exists()
    ours = make_key(key) if made else read_key(key)
    published = jwks([ours, *(read_key(other) for other in also)])
    if only_jwks:
        click.echo(json.dumps(published, indent=2))
        return
    click.echo(f"{'Made' if made else 'Read'}: {key} (private: keep it, and name it as private_key_file)\n")
    click.echo("Public key, for LMSs in which it is pasted (Moodle: Public key type, RSA key):\n")
    click.echo(public_pem(ours))
    click.echo("JWKS, for LMSs that take it as text or from an address (Canvas: Public JWK):\n")
    click.echo(json.dumps(published, indent=2))
    click.echo("\nThe tool in the LMS's form:\n")
    for name, value in _SETTINGS:
        click.echo(f"  {name:<28} {value}")
    click.echo("\nScopes, where the form asks for them:\n")
    for scope, purpose in _SCOPES:
        click.echo(f"  {scope}  ({purpose})")


# Nobody launches anything: the addresses have to be there for the form only.
_SETTINGS = (
    ("Tool URL, redirect URI", "any page of yours, for example the forge: it is never called by git-exchange"),
    ("Initiate login URL", "the same"),
    ("LTI version", "1.3"),
    ("Names and Role Provisioning", "on (Moodle: Use this service to retrieve members' information)"),
    ("Share name, share e-mail", "on, if names are to appear in the gradebook"),
    ("Assignment and Grades", "on, to send grades back"),
)
_SCOPES = (
    (ROSTER_SCOPE, "the roster"),
    (LINE_ITEM_SCOPE, "grades: columns of the LMS's gradebook"),
    (SCORE_SCOPE, "grades: sending them"),
    (RESULT_SCOPE, "grades: reading them back"),
)
