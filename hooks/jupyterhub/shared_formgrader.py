"""One formgrader for each course, which its instructors share: a service of the hub, as nbgrader's documentation says.

It runs as the system user ``grader-<course>`` and towards the forge as that course's bot account, whose token lies in
``~grader-<course>/.config/git-exchange/token`` (mode 0600). README.md beside this file says how to make both.

In jupyterhub_config.py:  load_subconfig("/etc/jupyterhub/shared_formgrader.py")
"""

import os

c = get_config()  # noqa: F821 - JupyterHub defines it

# Course id: the port on loopback where its formgrader listens, and who may open it.
COURSES = {
    "calculus": (10101, ["ada"]),
}

PASSED_ON = ("GIT_EXCHANGE_URL", "GIT_EXCHANGE_NAMESPACE")

for course, (port, instructors) in COURSES.items():
    c.JupyterHub.services.append(
        {
            "name": course,
            "url": f"http://127.0.0.1:{port}",
            "command": ["jupyterhub-singleuser", "--ServerApp.default_url=/formgrader"],
            "user": f"grader-{course}",
            "cwd": f"/home/grader-{course}",
            "oauth_no_confirm": True,
            # For nbgrader_config.py in /etc/jupyter.
            "environment": {name: value for name, value in os.environ.items() if name in PASSED_ON},
        }
    )
    c.JupyterHub.load_groups.update({f"formgrade-{course}": {"users": instructors}})
    c.JupyterHub.load_roles.append(
        {
            "name": f"formgrade-{course}",
            "groups": [f"formgrade-{course}"],
            # The last two let nbgrader's course list find it.
            "scopes": [f"access:services!service={course}", "list:services", f"read:services!service={course}"],
        }
    )
