"""An nbgrader exchange whose only server is the Git forge that the institution already runs."""

__version__ = "0.1.0.dev0"
