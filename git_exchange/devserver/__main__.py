"""``python -m git_exchange.devserver``: the server alone, without the rest of the package."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

from git_exchange.devserver.repositories import GitMissingError
from git_exchange.devserver.server import StateInUseError, serve


def main() -> int:
    """Serve until a signal ends it; exit status 1 with a sentence if it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m git_exchange.devserver", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=0, help="0 for any free one")
    parser.add_argument("--state", type=Path, help="folder to keep everything in; a temporary one if not given")
    parser.add_argument("--ready-file", type=Path, help="file to write URL and token to, as JSON, once it serves")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")

    def announce(url: str, token: str) -> None:
        if options.ready_file is None:
            print(url, flush=True)  # noqa: T201 - for whoever started it
            return
        beside = options.ready_file.with_name(options.ready_file.name + ".new")
        beside.touch(mode=0o600)
        beside.write_text(json.dumps({"url": url, "admin_token": token}), encoding="utf-8")
        beside.replace(options.ready_file)

    try:
        serve(options.host, options.port, options.state, announce=announce)
    except (ValueError, OSError, GitMissingError, StateInUseError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - for whoever started it
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
