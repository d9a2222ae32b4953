"""A course as its people see it: one ``Course`` and its read-models. No operation lives here."""
