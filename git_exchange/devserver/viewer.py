"""What one person (or nobody) sees and may do: the decisions of ``access`` on what is stored."""

from __future__ import annotations

from functools import cached_property

from git_exchange.devserver import access
from git_exchange.devserver.store import Store
from git_exchange.devserver.values import AccessToken, Namespace, Project, User


class Viewer:
    """Lives for one request: memberships are read once."""

    def __init__(self, store: Store, user: User | None, token: AccessToken | None) -> None:
        self.store = store
        self.user = user
        self.token = token
        self.is_admin = user is not None and user.is_admin
        self._group_levels: dict[int, int] = {}

    @cached_property
    def _direct(self) -> dict[tuple[str, int], int]:
        if self.user is None:
            return {}
        return {(member.source, member.source_id): member.level for member in self.store.members.of_user(self.user.id)}

    @cached_property
    def _parents(self) -> dict[int, int | None]:
        return self.store.namespaces.parents()

    @cached_property
    def _personal(self) -> int:
        return 0 if self.user is None else self.store.namespaces.personal(self.user.id).id

    @cached_property
    def _above_memberships(self) -> frozenset[int]:
        """All groups in which a group or project of this person's lies."""
        found: set[int] = set()
        for source, number in self._direct:
            if source == "project":
                project = self.store.projects.find(str(number))
                current = None if project is None else project.namespace_id
            else:
                current = self._parents.get(number)
            while current is not None and current not in found:
                found.add(current)
                current = self._parents.get(current)
        return frozenset(found)

    def namespace_level(self, namespace_id: int) -> int:
        """Return the effective level in a group, inherited ones included; 50 in one's own namespace."""
        if namespace_id not in self._group_levels:
            levels = [self._direct.get(("group", namespace_id), 0)]
            parent = self._parents.get(namespace_id)
            if parent is not None:
                levels.append(self.namespace_level(parent))
            if self.user is not None and namespace_id == self._personal:
                levels.append(access.OWNER)
            self._group_levels[namespace_id] = access.effective_level(levels)
        return self._group_levels[namespace_id]

    def project_level(self, project: Project) -> int:
        """Return the effective level in a project."""
        direct = self._direct.get(("project", project.id), 0)
        return access.effective_level((direct, self.namespace_level(project.namespace_id)))

    def is_member(self, project: Project) -> bool:
        """Return whether this person belongs to a project, directly or by a group."""
        return self.project_level(project) > 0

    def sees_project(self, project: Project) -> bool:
        """Return whether the project exists for this person."""
        return access.can_see(
            project.visibility, self.project_level(project), signed_in=self.user is not None, is_admin=self.is_admin
        )

    def sees_group(self, group: Namespace) -> bool:
        """Return whether the group exists for this person: also for who belongs to something in it."""
        if group.id in self._above_memberships:
            return True
        return access.can_see(
            group.visibility, self.namespace_level(group.id), signed_in=self.user is not None, is_admin=self.is_admin
        )

    def reads_code(self, project: Project) -> bool:
        """Return whether this person may clone the project and read its files."""
        return access.can_download_code(
            project.visibility,
            self.project_level(project),
            signed_in=self.user is not None,
            is_admin=self.is_admin,
            repository=str(project.settings.get("repository_access_level", "enabled")),
        )

    def can(self, project: Project, level: int) -> bool:
        """Return whether this person may do what needs a level in the project; administrators may."""
        return self.is_admin or self.project_level(project) >= level

    def can_in_group(self, group: Namespace, level: int) -> bool:
        """Return whether this person may do what needs a level in the group; administrators may."""
        return self.is_admin or self.namespace_level(group.id) >= level

    def push_table(self, project: Project) -> access.PushTable:
        """Return what decides about this person's pushes."""
        return access.PushTable(
            self.project_level(project),
            self.is_admin,
            project.default_branch,
            self.store.protection.branch_rules(project.id),
            self.store.protection.tag_rules(project.id),
        )
