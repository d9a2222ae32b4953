"""nbgrader for everybody on the hub: belongs into /etc/jupyter/nbgrader_config.py of the image in which servers run.

What somebody has in ~/.jupyter/nbgrader_config.py is added to it: an instructor's course_id and course directory.
"""

import os

from git_exchange.plugin import configure

c = get_config()  # noqa: F821 - nbgrader defines it
configure(
    c,
    os.environ["GIT_EXCHANGE_URL"],
    namespace=os.environ["GIT_EXCHANGE_NAMESPACE"],
    several_courses=True,
)
