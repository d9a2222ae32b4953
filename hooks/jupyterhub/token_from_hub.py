"""JupyterHub keeps and renews everybody's token of the forge, and git-exchange asks the hub for it when it needs one.

In jupyterhub_config.py, below what sets the sign-in:  load_subconfig("/etc/jupyterhub/token_from_hub.py")
"""

c = get_config()  # noqa: F821 - JupyterHub defines it

# What the sign-in gave is kept, encrypted by JUPYTERHUB_CRYPT_KEY (openssl rand -hex 32).
c.Authenticator.enable_auth_state = True
# A token is renewed before a server starts, and with the first request this many seconds after the last look at it. So
# long an expired one can be handed out. Each look is one request to the forge: 60 for each person at work and hour.
c.Authenticator.refresh_pre_spawn = True
c.Authenticator.auth_refresh_age = 60

# People, and the servers that they run, may read their own sign-in, and nobody else's. The other scopes are
# JupyterHub's defaults. A server that runs already has the new right only after a restart.
c.JupyterHub.load_roles.extend(
    [
        {"name": "user", "scopes": ["self", "admin:auth_state!user"]},
        {"name": "server", "scopes": ["users:activity!user", "access:servers!server", "admin:auth_state!user"]},
    ]
)
