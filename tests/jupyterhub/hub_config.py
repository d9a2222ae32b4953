"""A hub on loopback with pieces of hooks/jupyterhub: what they take from their machine is replaced, nothing else."""

import os
from pathlib import Path

c = get_config()  # type: ignore[name-defined] # noqa: F821 - JupyterHub defines it
FOLDER = Path(os.environ["TEST_FOLDER"])
AS_ROOT = ["--allow-root"] if os.geteuid() == 0 else []

c.JupyterHub.load_roles = [
    {"name": "tests", "scopes": ["admin:users", "admin:auth_state", "read:servers"], "services": ["tests"]}
]
c.JupyterHub.services = [{"name": "tests", "api_token": os.environ["TEST_ADMIN_TOKEN"]}]
for piece in os.environ["TEST_PIECES"].split(os.pathsep):
    load_subconfig(piece)  # type: ignore[name-defined] # noqa: F821 - likewise

c.JupyterHub.authenticator_class = "tests.jupyterhub.authenticator.ForgeSignIn"
c.Authenticator.allow_all = True
# A test revokes a token, and does not wait a minute for the hub to look at it again.
c.Authenticator.auth_refresh_age = 1

c.JupyterHub.bind_url = os.environ["TEST_HUB_URL"]
c.JupyterHub.hub_bind_url = os.environ["TEST_HUB_API"]
c.JupyterHub.db_url = f"sqlite:///{FOLDER}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = f"{FOLDER}/cookie_secret"
c.JupyterHub.proxy_class = "tests.jupyterhub.proxy.InProcessProxy"
c.JupyterHub.spawner_class = "jupyterhub.spawner.SimpleLocalProcessSpawner"
c.SimpleLocalProcessSpawner.home_dir_template = f"{FOLDER}/homes/{{username}}"
c.Spawner.http_timeout = c.Spawner.start_timeout = 180  # other tests may run beside this one
c.Spawner.args = AS_ROOT
IN_SERVERS = {
    "GIT_EXCHANGE_URL": os.environ["GIT_EXCHANGE_URL"],
    "GIT_EXCHANGE_NAMESPACE": os.environ["GIT_EXCHANGE_NAMESPACE"],
    "JUPYTER_CONFIG_PATH": f"{FOLDER}/etc",  # where an image has /etc/jupyter
    "JUPYTERHUB_SINGLEUSER_APP": "jupyter_server.serverapp.ServerApp",  # JupyterLab's pages take long to load
}
c.Spawner.environment.update(IN_SERVERS)
for service in c.JupyterHub.services:
    if "command" in service:
        home = FOLDER / "homes" / service.pop("user")  # no system users are made on this machine
        service["cwd"] = str(home)
        service["command"] = [*service["command"], *AS_ROOT]
        service["environment"].update(IN_SERVERS, HOME=str(home))
