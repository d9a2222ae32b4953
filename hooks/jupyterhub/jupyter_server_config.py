"""With token_by_environment.py: take the token out of the environment of a person's server before a kernel inherits it.

Belongs into /etc/jupyter/jupyter_server_config.py of the image in which servers run.
"""

from git_exchange.course.credentials import keep_from_environment

keep_from_environment()
