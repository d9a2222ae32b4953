"""From a roster to a course on the forge. What a person is stands in ``people``, where rosters come from in ``sources``."""
