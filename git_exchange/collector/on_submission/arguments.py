"""The command of a rule with a submission put in: whole arguments, never text for a shell. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from git_exchange.errors import ConfigurationError
from git_exchange.files.paths import display

_PLACE = re.compile(r"\{([a-z_]+)\}")
_PLACES = ("course", "assignment", "student")
# nbgrader takes --student and --assignment as patterns: somebody called "*" would be everybody.
_PATTERN = frozenset("*?[")


@dataclass(frozen=True)
class Submission:
    """Whose work at what was collected."""

    course: str
    assignment: str
    student: str


def check(command: Sequence[str]) -> None:
    """Raise ConfigurationError if a part of the command cannot be understood."""
    for part in command:
        if "\0" in part or not part:
            raise ConfigurationError(
                f"on_submission has the part {part!r}.", hint="Write every part as a text that is not empty."
            )
        if unknown := sorted(set(_PLACE.findall(part)) - set(_PLACES)):
            raise ConfigurationError(
                f"on_submission has {{{unknown[0]}}}, which stands for nothing.",
                hint="Known: {course}, {assignment} and {student}.",
            )
    if _PLACE.search(command[0]):
        raise ConfigurationError("on_submission begins with a placeholder.", hint="Begin it with a program.")


def substituted(command: Sequence[str], submission: Submission) -> tuple[str, ...]:
    """Return the command for this submission.

    Raise ConfigurationError if an id would not stay what it is: an option, a pattern, or several lines.
    """
    values = {name: str(getattr(submission, name)) for name in _PLACES}

    def put(part: str) -> str:
        used = [values[name] for name in _PLACE.findall(part)]
        for value in used:
            if not value.isprintable() or _PATTERN & set(value):
                raise ConfigurationError(
                    f"on_submission is not run for {display(value)}: an id with control characters or any of * ? ["
                    " could mean somebody else.",
                    hint="Collect and autograde this one by hand.",
                )
        # All at once, so that an id that looks like a placeholder stays an id.
        whole = _PLACE.sub(lambda found: values[found[1]], part)
        if used and whole.startswith("-") and not part.startswith("-"):
            raise ConfigurationError(
                f"on_submission is not run for {display(used[0])}, which would be taken for an option.",
                hint="Write the option and the placeholder as one part, as in --student={student}.",
            )
        return whole

    return tuple(put(part) for part in command)
