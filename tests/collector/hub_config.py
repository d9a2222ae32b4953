"""A hub on loopback with hooks/collector's piece: what it takes from its machine is replaced, nothing else."""

import os
import sys
from pathlib import Path

c = get_config()  # type: ignore[name-defined] # noqa: F821 - JupyterHub defines it
FOLDER = Path(os.environ["TEST_FOLDER"])

c.JupyterHub.services = [{"name": "tests", "api_token": os.environ["TEST_ADMIN_TOKEN"]}]
load_subconfig(os.environ["TEST_PIECES"])  # type: ignore[name-defined] # noqa: F821 - likewise

c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.bind_url = os.environ["TEST_HUB_URL"]
c.JupyterHub.hub_bind_url = os.environ["TEST_HUB_API"]
c.JupyterHub.db_url = f"sqlite:///{FOLDER}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = f"{FOLDER}/cookie_secret"
c.JupyterHub.proxy_class = "tests.jupyterhub.proxy.InProcessProxy"
for service in c.JupyterHub.services:
    if "command" in service:
        assert service.pop("user") == "git-exchange"  # no system users are made on this machine
        service["url"] = os.environ["TEST_SERVICE_URL"]
        program, group, command, *options, _ = service["command"]
        assert (Path(program).name, group, command) == ("git-exchange", "collector", "serve")
        # Without the other commands, whose imports take seconds.
        code = "from git_exchange.cli.collector.serve import serve; serve()"
        service["command"] = [sys.executable, "-c", code, *options, f"{FOLDER}/collector.toml"]
        service["environment"] = {"PYTHONPATH": os.environ["PYTHONPATH"], "HOME": str(FOLDER)}
