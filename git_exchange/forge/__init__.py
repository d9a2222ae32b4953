"""The forge: ports and their values, and one adapter per kind of server."""
