"""The whole cycle as separate people, for newcomers and as a check that everything works together."""
