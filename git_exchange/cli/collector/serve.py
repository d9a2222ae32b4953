"""``git-exchange collector serve``: the receiver of hooks, until it is ended."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from urllib.parse import urlsplit

import click

from git_exchange.cli.collector.options import config_option
from git_exchange.collector.config import CollectorConfig, read_config
from git_exchange.errors import ConfigurationError


@click.command()
@config_option
def serve(path: Path) -> None:
    """Receive what the forge's hooks announce. It needs no token of the forge.

    As a service of JupyterHub it listens where the hub says. SIGTERM ends it in good order.
    """
    config = read_config(path)
    # Each line is one event, and the journal has the time.
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        _serve(config)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"The collector needs {error.name}, which is not installed.", hint="pip install 'git-exchange[collector]'"
        ) from error


def _serve(config: CollectorConfig) -> None:
    from git_exchange.collector.door import Door, Keys
    from git_exchange.collector.inbox import Inbox
    from git_exchange.collector.metrics import Metrics
    from git_exchange.collector.queue import wake
    from git_exchange.collector.receiver import Receiver, read_metrics_token
    from git_exchange.collector.serving import serve as run

    keys = Keys(config.hooks.keys_file)
    token_file = config.receiver.metrics_token_file
    metrics_token = read_metrics_token(token_file) if token_file is not None else ""
    inbox = Inbox.open(config.storage.database)
    try:
        metrics = Metrics()
        door = Door(config.courses, keys, inbox, wake(config, metrics.not_woken.inc))
        receiver = Receiver(door, inbox, metrics, max_body=config.receiver.max_body, metrics_token=metrics_token)
        address, port, prefix = _place(config)
        prefixes = {prefix, urlsplit(config.hooks.public_url).path}
        run(receiver, address, port, prefixes, lambda url: click.echo(f"The receiver is on {url}"))
    finally:
        inbox.close()


def _place(config: CollectorConfig) -> tuple[str, int, str]:
    """Return address, port and path: JupyterHub's, if it has started us as a service with an address."""
    # https://jupyterhub.readthedocs.io/en/stable/reference/services.html#launching-a-hub-managed-service
    said = urlsplit(os.environ.get("JUPYTERHUB_SERVICE_URL", ""))
    if said.hostname and said.port:
        return said.hostname, said.port, os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "")
    return config.receiver.address, config.receiver.port, ""
