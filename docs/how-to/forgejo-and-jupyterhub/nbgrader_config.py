"""nbgrader for everybody on this hub; what somebody has in ~/.jupyter/nbgrader_config.py is added to it."""

import os

from git_exchange.plugin import configure

c = get_config()  # noqa: F821 - nbgrader defines it
configure(
    c,
    os.environ["GIT_EXCHANGE_URL"],
    namespace=os.environ["GIT_EXCHANGE_NAMESPACE"],
    kind="gitea",  # Forgejo too
    several_courses=True,
)
