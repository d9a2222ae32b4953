"""GitLab behind the ports, on python-gitlab: ``session`` talks and translates errors, ``adapter`` is the ``Forge``."""
