"""JupyterHub: people sign in with Forgejo and get a server of their own, as a system user of their own.

The hub keeps the token that the sign-in gives and renews it; in a person's server git-exchange asks the hub for it when
it needs one (token_from_hub.py, which the image has beside this file).
"""

import os
import pwd
import subprocess
from pathlib import Path

from oauthenticator.generic import LocalGenericOAuthenticator
from tornado.web import HTTPError

FORGE = os.environ["GIT_EXCHANGE_URL"]
HUB = os.environ["HUB_URL"]
HOMES = Path("/home")
# Number on the forge + this = number on this machine. Numbers below are the image's own accounts.
FIRST_NUMBER = 10_000


class ForgeAuthenticator(LocalGenericOAuthenticator):
    """Signs in with the forge, and makes system users whose numbers come from the forge.

    People can change their name on the forge, and others can then take it. Homes outlive the container, its list of
    system users does not. So a home belongs to a number, which its owner is, and never to a name alone.
    """

    def __init__(self, **settings):
        super().__init__(**settings)
        self.numbers = {}

    async def update_auth_model(self, auth_model):
        """Refuse whoever has changed their name, or has somebody else's former one."""
        auth_model = await super().update_auth_model(auth_model)
        name = self.normalize_username(auth_model["name"])
        number = FIRST_NUMBER + int(auth_model["auth_state"][self.user_auth_state_key]["sub"])
        for home in HOMES.iterdir():
            if (home.name == name) != (home.stat().st_uid == number):
                self.log.error("%s has number %s on this machine, which does not fit %s", name, number, home)
                raise HTTPError(403, "A name was changed on the forge. Ask who runs this hub to rename your home folder.")
        self.numbers[name] = number
        return auth_model

    def add_system_user(self, user):
        """Make the system user, with the number that the home has or that the sign-in has told."""
        home = HOMES / user.name
        if home.exists():
            number = home.stat().st_uid
        elif user.name in self.numbers:
            number = self.numbers[user.name]
        else:
            raise ValueError(f"{user.name} has never signed in")
        subprocess.run(["groupadd", "--gid", str(number), user.name], check=True)
        account = ["--uid", str(number), "--gid", str(number), "--home-dir", str(home), "--create-home"]
        subprocess.run(["useradd", *account, "--shell", "/bin/bash", user.name], check=True)
        home.chmod(0o700)


c = get_config()  # noqa: F821 - JupyterHub defines it

# The hub is behind the proxy of compose.yaml; nothing of it is reachable from outside the container but this port.
c.JupyterHub.bind_url = "http://:8000"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:8081"
c.JupyterHub.db_url = "sqlite:////srv/jupyterhub/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "/srv/jupyterhub/cookie_secret"
c.ConfigurableHTTPProxy.pid_file = "/run/jupyterhub-proxy.pid"  # forgotten when the container stops

# Sign-in. Everybody with an account on the forge may: the forge does not let people register themselves.
c.JupyterHub.authenticator_class = ForgeAuthenticator
c.OAuthenticator.client_id = os.environ["OAUTH_CLIENT_ID"]
c.OAuthenticator.client_secret = os.environ["OAUTH_CLIENT_SECRET"]
c.OAuthenticator.oauth_callback_url = f"{HUB}/hub/oauth_callback"
c.OAuthenticator.authorize_url = f"{FORGE}/login/oauth/authorize"
c.OAuthenticator.token_url = f"{FORGE}/login/oauth/access_token"
c.OAuthenticator.userdata_url = f"{FORGE}/login/oauth/userinfo"
c.OAuthenticator.username_claim = "preferred_username"
c.OAuthenticator.login_service = "Forgejo"
# What a student's or a grader's token needs and no more. Without any of the forge's own scopes it could do everything.
c.OAuthenticator.scope = ["openid", "profile", "read:user", "read:organization", "read:issue", "write:repository"]
c.OAuthenticator.allow_all = True

# Names that are system users of the image (root!) are nobody's; others must be names that Linux takes.
c.LocalAuthenticator.create_system_users = True
c.Authenticator.blocked_users = {entry.pw_name for entry in pwd.getpwall() if not entry.pw_dir.startswith(f"{HOMES}/")}
c.Authenticator.username_pattern = r"[a-z_][a-z0-9_.-]{0,31}\Z"

# The hub keeps the tokens, encrypted by JUPYTERHUB_CRYPT_KEY, renews them, and gives each to its owner's server.
load_subconfig(str(Path(__file__).with_name("token_from_hub.py")))  # noqa: F821 - JupyterHub defines it

# Everybody's server is a process of theirs in this container.
c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
c.Spawner.default_url = "/lab"
c.Spawner.environment = {
    "GIT_EXCHANGE_URL": FORGE,
    "GIT_EXCHANGE_NAMESPACE": os.environ["GIT_EXCHANGE_NAMESPACE"],
}
