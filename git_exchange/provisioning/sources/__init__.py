"""Where rosters come from: each module reads one kind of source and returns a ``Roster``."""
