"""The error tree of git-exchange.

::

    GitExchangeError            says what failed; ``hint`` says what the reader can do
    +-- ConfigurationError      a setting is missing or contradicts another
    |   `-- GitMissing          there is no usable git on this machine
    +-- CredentialsError        no token, or the forge does not accept it
    |   +-- NoToken
    |   `-- TokenRefused        wrong, revoked or expired
    +-- ForgeError              the forge answered "no", or did not answer
    |   +-- ForgeUnreachable    no connection, time-out, 5xx: trying again may help
    |   +-- Throttled           too many requests; ``retry_after`` in seconds
    |   +-- Forbidden           known to the forge, but this account may not
    |   +-- NotFound            absent, or hidden from this account (forges do not tell)
    |   +-- Conflict            it exists already, or changed meanwhile
    |   `-- UnexpectedAnswer    not what a forge of this kind answers (HTML, broken JSON)
    +-- LmsError                the LMS answered "no", or not as an LMS of its kind does
    |   +-- LmsUnreachable      no connection, time-out, maintenance: trying again may help
    |   `-- LmsRefused          it does not accept the key, the token or the scope
    +-- InboxUnavailable        the collector's inbox is locked, full or gone: nothing was written
    +-- GitError                a git command failed
    |   +-- GitTimeout          it did not finish in time
    |   +-- RemoteUnreachable   the connection failed before or during the transfer
    |   +-- RemoteDenied        the server refused this account (401, 403, 404)
    |   |   `-- SignInRefused   it does not accept the credentials (401), which are not sent again
    |   +-- RefMissing          the branch does not exist on the server
    |   +-- PushRace            somebody else pushed first; fetch, rebuild, push again
    |   +-- PushRefused         the server's rules refuse the push; its words in ``server_says``
    |   +-- HostileRepository   fsck or a limit refused what the server holds
    |   `-- CacheCorrupt        the local copy is damaged; it can be thrown away
    +-- FilesError              files on this machine cannot be read or written as asked
    |   +-- UnsafePath          a name that must not be written
    |   `-- TooLarge            over a size limit
    `-- CourseError             the course says "no"
        +-- CourseNotFound
        +-- CourseArchived      the term is over: everything can be read, nothing written
        +-- NotAMember          this account has no part in the course
        +-- NotStaff            a student tried what only staff may do
        +-- NotAStudent         staff tried what only a student's seat can do
        +-- AssignmentNotFound  never released, or withdrawn
        +-- AlreadyReleased
        +-- NothingToSubmit
        +-- Incomplete          part of the work is done; running it again goes on

Adapters and ``transport`` translate foreign errors into this tree where they arise; ``plugin`` turns it into
nbgrader's ``ExchangeError`` once. No message holds a token, a URL with credentials or a path of the server.
"""

from __future__ import annotations


class GitExchangeError(Exception):
    """Something failed; ``str(error)`` is one or more sentences for the person in front of it.

    ``hint`` is what that person can do about it, possibly empty.
    """

    default_hint = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class ConfigurationError(GitExchangeError):
    """A setting is missing, unreadable or contradicts another one."""


class GitMissing(ConfigurationError):
    """There is no git on this machine, or it is too old."""

    default_hint = "Install git 2.30 or later and make sure that it is on PATH."


class CredentialsError(GitExchangeError):
    """Who we are could not be shown to the forge."""


class NoToken(CredentialsError):
    """No source of tokens had one for this forge."""

    default_hint = (
        "Set GIT_EXCHANGE_TOKEN, or write the token to a file that only you can read and name that file in"
        " GIT_EXCHANGE_TOKEN_FILE."
    )


class TokenRefused(CredentialsError):
    """The forge does not accept the token: wrong, revoked or expired."""

    default_hint = "Make a new token on the forge and set it in place of the old one."


class ForgeError(GitExchangeError):
    """The forge's API answered "no" or did not answer."""


class ForgeUnreachable(ForgeError):
    """No connection, a time-out or a server error: nothing is known about what was asked."""

    default_hint = "Check the address and the network, and try again; nothing was lost."


class Throttled(ForgeError):
    """Too many requests. ``retry_after`` is in seconds, None if the forge did not say."""

    default_hint = "Wait a little and run it again."

    def __init__(self, message: str, *, retry_after: float | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class Forbidden(ForgeError):
    """The account is known and may not do this."""

    default_hint = "Check whose token is in use (git-exchange doctor), or ask the course's staff."


class NotFound(ForgeError):
    """Absent, or hidden from this account."""

    default_hint = "Check the names and whose token is in use (git-exchange doctor), or ask the course's staff."


class Conflict(ForgeError):
    """It exists already, or it changed between reading and writing."""

    default_hint = "Run it again; what is there already is kept."


class UnexpectedAnswer(ForgeError):
    """The answer is not one that this kind of forge gives."""

    default_hint = "Check that the URL is the forge itself and not a login page or another service."


class LmsError(GitExchangeError):
    """The learning management system refused, or answered what one of its kind does not answer."""


class LmsUnreachable(LmsError):
    """The learning management system did not answer, or said that it cannot at the moment."""

    default_hint = "Nothing was changed. Try again later."


class LmsRefused(LmsError):
    """The learning management system does not accept our key, token or scope."""


class InboxUnavailable(GitExchangeError):
    """The collector's inbox is locked, full or gone: nothing of what was asked is written."""

    default_hint = (
        "Look at the database that [storage] names and the room on its disk. What a hook told meanwhile is found by the"
        " sweep."
    )


class GitError(GitExchangeError):
    """A git command failed."""

    default_hint = "Run it again; git-exchange doctor tells whether git and the forge are as they should be."


class GitTimeout(GitError):
    """A git command did not finish in time and was ended."""

    default_hint = "Try again; if it happens every time, the network or the repository is too slow for the limit."


class RemoteUnreachable(GitError):
    """The connection failed before or during the transfer."""

    default_hint = "Nothing was lost: run the same command again when the server answers."


class RemoteDenied(GitError):
    """The git server refused this account, or the project does not exist for it."""

    default_hint = "Check whose token is in use (git-exchange doctor), or ask the course's staff."


class SignInRefused(RemoteDenied):
    """The git server does not accept the credentials. Many such answers, and it shuts out this machine's address."""

    default_hint = "Run it again: the token is looked for anew, and checked before git gets it."


class RefMissing(GitError):
    """The branch does not exist on the server."""

    default_hint = "It may have been taken away at this moment: run it again, or ask the course's staff."


class PushRace(GitError):
    """The branch moved on the server since it was read."""

    default_hint = "Run it again."


class PushRefused(GitError):
    """The server's rules refuse the push; ``server_says`` is its message, escaped for terminals.

    ``explained`` if that message is meant for the person who pushes, and tells what to change.
    """

    default_hint = "The rules on the server decide who may push there: ask the course's staff."

    def __init__(
        self, message: str, *, server_says: str = "", hint: str | None = None, explained: bool = False
    ) -> None:
        super().__init__(message, hint=hint)
        self.server_says = server_says
        self.explained = explained


class HostileRepository(GitError):
    """What the server holds failed git's checks or is over a limit."""

    default_hint = "Nothing of it was taken over. Look at the project on the forge, or show this to its operators."


class CacheCorrupt(GitError):
    """The local copy is damaged. Nothing lives only there: throw it away and fetch again."""

    default_hint = (
        "Run it again; if it stays, make room on the disk or delete git-exchange's cache folder. Nothing lives only"
        " there."
    )


class FilesError(GitExchangeError):
    """Files on this machine cannot be read or written as asked."""

    default_hint = "Check the permissions and the room that is left there, and run it again."


class UnsafePath(FilesError):
    """A name that must not be written on this machine."""


class TooLarge(FilesError):
    """A file, or all of them together, is over the limit."""


class CourseError(GitExchangeError):
    """The course does not allow it, or does not have it."""


class CourseNotFound(CourseError):
    """There is no such course for this account."""


class CourseArchived(CourseError):
    """The staff have archived the course: everything can be read, nothing written."""


class NotAMember(CourseError):
    """This account has no part in the course."""


class NotStaff(CourseError):
    """Only the course's staff may do this."""


class NotAStudent(CourseError):
    """This needs a student's seat, and this account has none in the course."""


class AssignmentNotFound(CourseError):
    """Never released, or withdrawn."""


class AlreadyReleased(CourseError):
    """The assignment is released and ``force`` was not given."""


class NothingToSubmit(CourseError):
    """The work folder has no file that could be submitted."""


class Incomplete(CourseError):
    """Part of the work is done; running the same thing again goes on from there."""
