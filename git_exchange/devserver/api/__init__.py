"""The REST API: one module per chapter of GitLab's documentation, each with its routes."""
