"""Gitea and Forgejo behind the ports: ``session`` talks and translates errors, ``adapter`` is the ``Forge``."""
