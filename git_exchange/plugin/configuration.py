"""Write an ``nbgrader_config.py`` for git-exchange that works as it is and names every option with its default."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from git_exchange.plugin.options import Option, options
from git_exchange.settings import Settings

ROLES = ("instructor", "student")
URL, NAMESPACE, COURSE = "https://gitlab.example.edu", "teaching/2026", "calculus"
# What the head of the file sets.
SET = ("url", "namespace", "kind", "path_includes_course")
_ASKED = "  # <- put yours here"

_WHERE = {
    "instructor": "It belongs into the course directory, in which nbgrader and formgrader are started.",
    "student": "It belongs into the folder in which nbgrader or Jupyter starts, or, for everybody, into /etc/jupyter.",
}
_ABOUT_TOKENS = """\
No token belongs into this file: formgrader shows the loaded configuration on its page. A token is read from
GIT_EXCHANGE_TOKEN, from the file that GIT_EXCHANGE_TOKEN_FILE names, from `token` in git-exchange's configuration
folder, or from git's credential helper; on a JupyterHub it may come from the hub. `git-exchange doctor` says what is
found."""


@dataclass(frozen=True)
class Wanted:
    """What is known when the file is written; None for what the reader has to fill in."""

    role: str
    url: str | None = None
    namespace: str | None = None
    kind: str | None = None
    course_id: str | None = None

    def missing(self) -> list[str]:
        """Return the options that would fill in what is left open."""
        known = {"--url": self.url, "--namespace": self.namespace}
        if self.role == "instructor":
            known["--course"] = self.course_id
        return [option for option, value in known.items() if not value]


def written(wanted: Wanted) -> str:
    """Return the file's text. Raise ConfigurationError for a URL or namespace that cannot be."""
    settings = Settings(url=wanted.url or URL, namespace=wanted.namespace or NAMESPACE, kind=wanted.kind or "auto")
    return "\n".join(
        [
            f"# nbgrader_config.py for git-exchange, as {'an' if wanted.role == 'instructor' else 'a'} {wanted.role}.",
            *_comment(_WHERE[wanted.role]),
            *_comment(_ABOUT_TOKENS),
            "",
            "from git_exchange.plugin import configure",
            "",
            "c = get_config()",
            "",
            *_course(wanted),
            "# The forge, and the group below which the courses lie. The kind is gitlab, gitea (Forgejo too), or auto.",
            "configure(",
            "    c,",
            f"    {settings.url!r},{'' if wanted.url else _ASKED}",
            f"    namespace={settings.namespace!r},{'' if wanted.namespace else _ASKED}",
            f"    kind={settings.kind!r},",
            *(["    several_courses=True,"] if _several(wanted) else []),
            ")",
            "",
            "# What follows is optional. The values are the defaults; ... stands for one that depends on the machine.",
            *(line for option in options() if option.name not in SET for line in _option(option)),
            "",
        ]
    )


def _several(wanted: Wanted) -> bool:
    return wanted.role == "student" and not wanted.course_id


def _course(wanted: Wanted) -> Iterator[str]:
    if _several(wanted):
        yield "# All courses of the student are listed, and their folders are <course>/<assignment>. nbgrader's"
        yield "# commands want to be told the course, as in: nbgrader fetch_assignment --course=calculus ps1"
        yield ""
        return
    yield "# The course, as `git-exchange course create` was told it."
    yield f"c.CourseDirectory.course_id = {wanted.course_id or COURSE!r}{'' if wanted.course_id else _ASKED}"
    yield ""


def _option(option: Option) -> Iterator[str]:
    yield ""
    yield from _comment(option.help)
    yield f"# c.{option.section}.{option.name} = {option.default or '...'}"


def _comment(text: str) -> list[str]:
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    return [f"# {line}" for part in paragraphs for line in textwrap.wrap(part, 116, break_on_hyphens=False)]
