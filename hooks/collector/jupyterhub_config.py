"""For JupyterHub's configuration: the hub starts the receiver, and its proxy brings the forge's hooks to it.

Hooks then go to https://<the hub>/services/collector, which is what ``public_url`` in collector.toml has to say. The
workers are no part of this: git-exchange-collector-work.service runs them.
"""

c = get_config()  # type: ignore[name-defined] # noqa: F821 - JupyterHub gives it

c.JupyterHub.services.append(
    {
        "name": "collector",
        "url": "http://127.0.0.1:8077",
        "command": [
            "/opt/git-exchange/bin/git-exchange",
            *("collector", "serve", "--config", "/etc/git-exchange/collector.toml"),
        ],
        "user": "git-exchange",  # as whom the workers run, too
        "cwd": "/",
        "display": False,  # it has no page for people
    }
)
