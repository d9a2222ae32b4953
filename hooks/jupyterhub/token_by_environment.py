"""JupyterHub hands the forge's token to a server when it starts, as GIT_EXCHANGE_TOKEN. It is not renewed afterwards.

Only for forges whose tokens outlive every server, and for hubs where servers must not ask for the sign-in: GitLab's
tokens live for two hours. token_from_hub.py beside this file has no such limit.

In jupyterhub_config.py, below what sets the sign-in:  load_subconfig("/etc/jupyterhub/token_by_environment.py")
"""

c = get_config()  # noqa: F821 - JupyterHub defines it


def hand_over(spawner, auth_state):
    """Give the token to the person's server. Without one the server starts all the same."""
    environment = {name: value for name, value in spawner.environment.items() if name != "GIT_EXCHANGE_TOKEN"}
    token = (auth_state or {}).get("access_token")
    if token:
        environment["GIT_EXCHANGE_TOKEN"] = token
    else:
        spawner.log.warning("%s has no token of the forge: sign out and in again", spawner.user.name)
    spawner.environment = environment


# What the sign-in gave is kept, encrypted by JUPYTERHUB_CRYPT_KEY, and renewed before a server starts.
c.Authenticator.enable_auth_state = True
c.Authenticator.refresh_pre_spawn = True
c.Spawner.auth_state_hook = hand_over
