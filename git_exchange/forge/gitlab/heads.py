"""The heads of the same branches in many projects, by GraphQL: a hundred projects and several branches a request.

``Repository.commit(ref:)`` exists since GitLab 17.10. ``tree(ref:).lastCommit``, which is older, is no substitute: it
skips commits that change no file. Where the field or GraphQL itself is missing, and for single projects that GraphQL
could not read, the branches come by REST, one request a project. https://docs.gitlab.com/api/graphql/reference/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from os.path import commonprefix

from git_exchange.errors import Forbidden, ForgeUnreachable, NotFound, UnexpectedAnswer
from git_exchange.forge.answers import text
from git_exchange.forge.gitlab import values
from git_exchange.forge.gitlab.session import Answer, Session
from git_exchange.forge.http import encoded
from git_exchange.forge.one_by_one import NEVER, ask_each
from git_exchange.forge.ports import Group, HeadsAt, Project

# Computed from GitLab's complexity rules, 250 for a signed-in account; a server that allows less makes us halve it.
REFS_PER_QUERY = 6
PROJECTS_PER_PAGE = 100
# Up to so many projects, asking each is no more work than asking for the group.
FEW = 2


class _TooComplex(Exception):
    """The query is over the server's complexity limit."""


class _NoSuchField(Exception):
    """The server is too old for ``commit(ref:)``, or has no GraphQL for us."""


@dataclass(frozen=True)
class _Page:
    refs: tuple[str, ...]
    heads: dict[tuple[int, str], str]
    answered: frozenset[int]
    failed: frozenset[int]
    at: datetime
    cursor: str | None


def read(session: Session, group: Group, projects: Collection[Project], refs: Collection[str], *, pool: int) -> HeadsAt:
    """Return the heads of ``refs`` in ``projects``. ``at`` is the server's last answer, one second on the safe side."""
    wanted = {project.id: project for project in projects}
    names = sorted(set(refs))
    if not wanted or not names:
        return HeadsAt({}, session.answer("get", "/version").moment() + timedelta(seconds=1), {})
    pages: list[_Page] = []
    if len(wanted) > FEW:
        try:
            pages = list(_pages(session, group, names))
        except (_NoSuchField, ForgeUnreachable):
            # One damaged repository can make the whole query fail (500): asking each of them finds out which.
            pages = []
    heads = {key: commit for page in pages for key, commit in page.heads.items() if key[0] in wanted}
    complete = _complete(pages)
    heads = {key: commit for key, commit in heads.items() if key[0] in complete}
    moments = [page.at for page in pages]
    unreadable: dict[int, str] = {}
    left = [wanted[number] for number in sorted(wanted.keys() - complete)]
    for one in ask_each(lambda project: _one(session, project.id, names), left, pool):
        heads |= {(one.project_id, ref): commit for ref, commit in one.heads.items()}
        if one.failure is None:
            moments.append(one.at)
        else:
            unreadable[one.project_id] = one.failure.message
    if not moments:
        moments.append(session.answer("get", "/version").moment())
    return HeadsAt(heads, max(moments) + timedelta(seconds=1), unreadable)


def _complete(pages: Sequence[_Page]) -> set[int]:
    """Return the projects that every batch of refs has answered without an error."""
    batches = len({page.refs for page in pages})
    seen = Counter(number for page in pages for number in page.answered - page.failed)
    failed = frozenset[int]().union(*(page.failed for page in pages))
    return {number for number, times in seen.items() if times >= batches and number not in failed}


def _pages(session: Session, group: Group, names: Sequence[str]) -> Iterator[_Page]:
    """Yield every page for every batch of refs, with smaller batches and pages where the server wants them."""
    refs, first = min(REFS_PER_QUERY, len(names)), PROJECTS_PER_PAGE
    done, cursor = 0, None
    while done < len(names):
        batch = names[done : done + refs]
        try:
            page = _page(session, group, batch, first, cursor)
        except _TooComplex as error:
            if cursor is not None:
                raise UnexpectedAnswer("GitLab's limit for GraphQL queries changed while reading.") from error
            if refs == 1 and first == 1:
                raise _NoSuchField from error
            refs, first = (refs // 2, first) if refs > 1 else (1, first // 2)
            continue
        yield page
        cursor = page.cursor
        if cursor is None:
            done += len(batch)


def _page(session: Session, group: Group, refs: Sequence[str], first: int, cursor: str | None) -> _Page:
    declared = "".join(f", $r{number}: String!" for number in range(len(refs)))
    fields = " ".join(f"r{number}: commit(ref: $r{number}) {{ sha }}" for number in range(len(refs)))
    query = (
        f"query($group: ID!, $first: Int!, $after: String{declared}) {{ group(fullPath: $group) {{"
        " projects(first: $first, after: $after) { pageInfo { hasNextPage endCursor }"
        f" nodes {{ id repository {{ {fields} }} }} }} }} }}"
    )
    variables: dict[str, object] = {"group": group.full_path, "first": first, "after": cursor}
    variables |= {f"r{number}": ref for number, ref in enumerate(refs)}
    try:
        answer = session.graphql(query, variables)
    except (NotFound, Forbidden) as error:
        raise _NoSuchField from error
    try:
        return _read_page(answer, refs, cursor)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise UnexpectedAnswer("GitLab's GraphQL answered with an object that it does not give.") from error


def _read_page(answer: Answer, refs: Sequence[str], cursor: str | None) -> _Page:
    document = answer.document
    errors = document.get("errors") or []
    found = (document.get("data") or {}).get("group")
    listing = found.get("projects") if found else None
    if listing is None:
        _explain(errors)
        raise NotFound("GraphQL does not show the group to this account.")
    # ["group", "projects", "nodes", 3, "repository", "r0"]: a null with an error is no missing branch.
    broken = {error["path"][3] for error in errors if len(error.get("path") or ()) > 3}
    if any(len(error.get("path") or ()) <= 3 for error in errors):
        _explain(errors)
    heads: dict[tuple[int, str], str] = {}
    answered, failed = set(), set()
    for position, node in enumerate(listing["nodes"]):
        number = int(text(node["id"]).rpartition("/")[2])
        answered.add(number)
        repository = node["repository"]
        if repository is None or position in broken:
            failed.add(number)
            continue
        for place, ref in enumerate(refs):
            commit = repository[f"r{place}"]
            if commit is not None:
                heads[number, ref] = text(commit["sha"])
    info = listing["pageInfo"]
    following = text(info["endCursor"]) if info["hasNextPage"] else None
    if following is not None and following == cursor:
        raise UnexpectedAnswer("GitLab's GraphQL paging does not get on.")
    return _Page(tuple(refs), heads, frozenset(answered), frozenset(failed), answer.moment(), following)


def _explain(errors: Sequence[dict[str, object]]) -> None:
    """Raise what the errors of a whole query mean; nothing if there are none."""
    said = " ".join(str(error.get("message", "")) for error in errors)
    if "complexity" in said:
        raise _TooComplex
    if "doesn't exist on type" in said or "Cannot query field" in said:
        raise _NoSuchField
    if errors:
        raise UnexpectedAnswer("GitLab's GraphQL refuses the query for branches.", hint=said[:200])


def _one(session: Session, project_id: int, refs: Sequence[str]) -> tuple[dict[str, str], datetime]:
    names = {ref.removeprefix(values.HEADS) for ref in refs}
    common = commonprefix(sorted(names))  # noqa: RUF071 - of characters, not of path components
    heads: dict[str, str] = {}
    at = NEVER
    path = f"/projects/{encoded(project_id)}/repository/branches"
    for page in session.pages(path, values.branch, search=f"^{common}" if common else None):
        heads |= {found.ref: found.commit for found in page.items if found.ref in refs}
        at = page.answer.moment()
    return heads, at
