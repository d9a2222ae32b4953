"""What people do: one verb per module. Each takes a ``Course`` and values, emits events, returns what came of it."""
