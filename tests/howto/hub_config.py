"""The how-to's jupyterhub_config.py on loopback: what it takes from its container is replaced, nothing else."""

import os
from pathlib import Path

c = get_config()  # type: ignore[name-defined] # noqa: F821 - JupyterHub defines it
load_subconfig(os.environ["TEST_REAL_CONFIGURATION"])  # type: ignore[name-defined] # noqa: F821 - likewise
FOLDER = Path(os.environ["TEST_FOLDER"])


class NoSystemUsers(c.JupyterHub.authenticator_class):  # type: ignore[misc,name-defined] # what the page's file made
    """Takes everybody for a system user, so that none is made on this machine."""

    def system_user_exists(self, user: object) -> bool:
        return True


c.JupyterHub.authenticator_class = NoSystemUsers
c.JupyterHub.bind_url = os.environ["HUB_URL"]
c.JupyterHub.hub_bind_url = os.environ["TEST_HUB_API"]
c.JupyterHub.db_url = f"sqlite:///{FOLDER}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = f"{FOLDER}/cookie_secret"
c.JupyterHub.proxy_class = "tests.jupyterhub.proxy.InProcessProxy"
c.JupyterHub.spawner_class = "jupyterhub.spawner.SimpleLocalProcessSpawner"
c.SimpleLocalProcessSpawner.home_dir_template = f"{FOLDER}/homes/{{username}}"
c.Spawner.http_timeout = c.Spawner.start_timeout = 120  # other tests may run beside this one
c.Spawner.args = ["--allow-root"] if os.geteuid() == 0 else []
c.Spawner.environment["JUPYTER_CONFIG_PATH"] = f"{FOLDER}/etc"  # where the image has /etc/jupyter

# A test makes the hub's record of somebody's token worthless, and does not wait five minutes for it to be looked at.
c.Authenticator.auth_refresh_age = 1
c.JupyterHub.services = [{"name": "tests", "api_token": os.environ["TEST_ADMIN_TOKEN"]}]
c.JupyterHub.load_roles.append({"name": "tests", "scopes": ["admin:users", "admin:auth_state"], "services": ["tests"]})
