"""Where the command line's settings come from: its options, the environment, and the ``nbgrader_config.py`` at hand."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from git_exchange.course.course import Course
from git_exchange.errors import ConfigurationError
from git_exchange.settings import KINDS, Settings

if TYPE_CHECKING:  # nbgrader takes seconds to import
    from git_exchange.operations.gradebook_extensions import Book
    from git_exchange.plugin.exchange import Exchange

_Exchange = TypeVar("_Exchange", bound="Exchange")
_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Asked:
    """What the command line and the environment say, empty where they say nothing."""

    url: str | None
    namespace: str | None
    kind: str | None


def forge_options(command: _Command) -> _Command:
    """Add the options that say which forge is meant."""
    for option in (
        click.option("--kind", type=click.Choice(KINDS), envvar="GIT_EXCHANGE_KIND", help="What the forge is."),
        click.option("--namespace", envvar="GIT_EXCHANGE_NAMESPACE", help="Group below which the courses lie."),
        click.option("--url", envvar="GIT_EXCHANGE_URL", help="Address of the forge."),
    ):
        command = option(command)
    return command


def settings_for(asked: Asked) -> Settings:
    """Return the settings: options and environment first, then ``c.GitExchange`` of the nbgrader configuration here."""
    if asked.url and asked.namespace:
        # nbgrader takes seconds to import, and nothing of its configuration is needed.
        return Settings(url=asked.url, namespace=asked.namespace, kind=asked.kind or "auto")
    from git_exchange.plugin.exchange import Exchange

    settings: Settings = configured(Exchange, asked).settings()
    return settings


@dataclass(frozen=True)
class Here:
    """Which forge, course and course directory a command is about, empty where the command line says nothing."""

    asked: Asked
    course_id: str
    course_dir: Path | None


def course_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which course and forge are meant; the command gets them as one value, ``here``.

    For commands that follow nbgrader's configuration, as nbgrader's own commands do.
    """

    @functools.wraps(command)
    def called(
        *arguments: Any,
        course: str,
        course_dir: Path | None,
        url: str | None,
        namespace: str | None,
        kind: str | None,
        **more: Any,
    ) -> None:
        command(*arguments, here=Here(Asked(url, namespace, kind), course, course_dir), **more)

    for option in (
        click.option("--course", default="", help="Id of the course; what the nbgrader_config.py says."),
        click.option(
            "--course-dir",
            type=click.Path(path_type=Path, file_okay=False, exists=True),
            help="Folder whose nbgrader_config.py counts; the current folder, or the root that it names there.",
        ),
    ):
        called = option(called)
    return forge_options(called)


def configured(
    kind: type[_Exchange],
    asked: Asked,
    course_dir: Path | None = None,
    course_id: str = "",
    assignment_id: str = "",
    *,
    log_level: str = "WARN",
) -> _Exchange:
    """Return one of the plugin's classes as nbgrader would make it here. Raise ConfigurationError without a forge."""
    from nbgrader.apps.baseapp import NbGrader
    from nbgrader.auth import Authenticator

    app = NbGrader()
    app.initialize([f"--log-level={log_level}", *([f"--course-dir={course_dir.absolute()}"] if course_dir else [])])
    exchange = kind(coursedir=app.coursedir, authenticator=Authenticator(parent=app), parent=app)
    for trait, value in (("url", asked.url), ("namespace", asked.namespace), ("kind", asked.kind)):
        if value:
            setattr(exchange, trait, value)
    if course_id:
        exchange.coursedir.course_id = course_id
    if assignment_id:
        exchange.coursedir.assignment_id = assignment_id
    if not exchange.url:
        raise ConfigurationError(
            "No forge is configured.",
            hint="Give --url and --namespace, set GIT_EXCHANGE_URL and GIT_EXCHANGE_NAMESPACE, or run this where your"
            " nbgrader_config.py lies.",
        )
    return exchange


def configured_here(kind: type[_Exchange], here: Here, assignment_id: str = "") -> _Exchange:
    """Return one of the plugin's classes for the course that is meant. Raise ConfigurationError without a forge."""
    return configured(kind, here.asked, here.course_dir, here.course_id, assignment_id)


def course_of(exchange: Exchange) -> Course:
    """Return the course that the configuration names, connected. Raise ConfigurationError if it names none."""
    if exchange.coursedir.course_id in ("", "*"):
        raise ConfigurationError(
            "No course is named.", hint="Give --course, or run this where your nbgrader_config.py names one."
        )
    return exchange.open_course()


def gradebook_of(asked: Asked, course_id: str) -> Book:
    """Return the gradebook of the course directory here. Raise ConfigurationError if it is another course's."""
    from git_exchange.operations.gradebook_extensions import Book
    from git_exchange.plugin.exchange import Exchange

    here = configured(Exchange, asked).coursedir
    if here.course_id not in ("", course_id):
        raise ConfigurationError(
            f"The gradebook here is of the course {here.course_id}, not of {course_id}.",
            hint="Run this in the directory of the course that is meant.",
        )
    return Book(Path(here.root).absolute(), here.db_url, course_id)
