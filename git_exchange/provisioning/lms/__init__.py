"""Talking to learning management systems: HTTP, keys, access tokens and the roles that they name."""
