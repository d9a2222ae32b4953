"""From a roster to a course on the forge: ``people`` are values, ``sources`` is where rosters come from."""
