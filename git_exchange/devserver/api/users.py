"""Version, users and tokens: https://docs.gitlab.com/api/users/, https://docs.gitlab.com/api/personal_access_tokens/."""

from __future__ import annotations

from datetime import date, timedelta

from git_exchange.devserver import names
from git_exchange.devserver.api import entities
from git_exchange.devserver.api.answers import Answer, Call, forbidden, invalid, message, not_found
from git_exchange.devserver.api.routes import Routes
from git_exchange.devserver.site import REVISION, VERSION
from git_exchange.devserver.values import User

SCOPES = (
    *("api", "read_api", "read_user", "read_repository", "write_repository", "admin", "admin_mode", "sudo"),
    *("create_runner", "manage_runner", "k8s_proxy", "read_registry", "write_registry", "self_rotate"),
)
LONGEST = timedelta(days=365)

routes = Routes()


@routes.add("GET", "/version", "read_user")
def version(call: Call) -> Answer:
    """Answer what this server says it is."""
    _ = call.user
    return Answer({"version": VERSION, "revision": REVISION})


@routes.add("GET", "/metadata", "read_user")
def metadata(call: Call) -> Answer:
    """Answer the same with more around it."""
    _ = call.user
    kas = {"enabled": False, "externalUrl": None, "externalK8sProxyUrl": None, "version": None}
    return Answer({"version": VERSION, "revision": REVISION, "kas": kas, "enterprise": False})


@routes.add("GET", "/user", "read_user")
def current_user(call: Call) -> Answer:
    """Answer whose token this is."""
    return Answer(entities.user_full(call.site, call.user))


@routes.add("GET", "/users", "read_user")
def users(call: Call) -> Answer:
    """List users; e-mail addresses and sign-ins are found and shown for administrators only."""
    asks = call.user
    found = call.site.store.accounts.all()
    provider, extern_uid = call.parameters.text("provider"), call.parameters.text("extern_uid")
    if provider and extern_uid:
        call.require_admin()
        signs_in = call.site.store.accounts.find_by_identity(provider, extern_uid)
        found = [user for user in found if user == signs_in]
    if (username := call.parameters.text("username")) is not None:
        found = [user for user in found if user.username.lower() == username.lower()]
    if search := call.parameters.text("search"):
        wanted = search.lower()
        found = [
            user
            for user in found
            if wanted in user.username.lower()
            or wanted in user.name.lower()
            or (asks.is_admin and wanted == user.email.lower())
        ]
    if call.parameters.boolean("active"):
        found = [user for user in found if user.state == "active"]
    if call.parameters.boolean("blocked"):
        found = [user for user in found if user.state == "blocked"]
    part, headers = call.page(found)
    present = entities.user_full if asks.is_admin else entities.user_basic
    return Answer([present(call.site, user) for user in part], headers=headers)


@routes.add("POST", "/users")
def create_user(call: Call) -> Answer:
    """Create a confirmed user."""
    call.require_admin()
    given = call.parameters
    missing = [name for name in ("email", "name", "username") if given.text(name) is None]
    if missing:
        raise invalid(", ".join(f"{name} is missing" for name in missing))
    username, email = given.required("username"), given.required("email")
    if not any(given.has(name) for name in ("password", "reset_password", "force_random_password")):
        raise invalid(
            "password, reset_password, force_random_password are missing, at least one parameter must be provided"
        )
    if problems := names.path_problems(username, kind="user", is_top=True):
        raise message(400, {"username": problems})
    if "@" not in email:
        raise message(400, {"email": ["is invalid"]})
    provider, extern_uid = given.text("provider"), given.text("extern_uid")
    store = call.site.store
    if provider and extern_uid and store.accounts.find_by_identity(provider, extern_uid):
        raise message(409, "Extern uid has already been taken")
    if store.accounts.email_taken(email):
        raise message(409, "Email has already been taken")
    if store.accounts.find_by_username(username) or store.namespaces.path_taken(username):
        raise message(409, "Username has already been taken")
    user = store.accounts.create(username, name=given.required("name"), email=email, is_admin=given.boolean("admin"))
    if provider and extern_uid:
        store.accounts.add_identity(user.id, provider, extern_uid)
    return Answer(entities.user_full(call.site, user), 201)


@routes.add("GET", "/users/:user_id", "read_user")
def one_user(call: Call) -> Answer:
    """Answer one user."""
    asks, user = call.user, _user(call)
    return Answer(entities.user_full(call.site, user) if asks.is_admin else entities.user_public(call.site, user))


@routes.add("POST", "/users/:user_id/block")
def block(call: Call) -> Answer:
    """Block a user, who can then do nothing."""
    call.require_admin()
    user = _user(call)
    if user.id == call.user.id:
        raise message(403, "403 Forbidden - You cannot block yourself")
    call.site.store.accounts.set_state(user.id, "blocked")
    return Answer(True, 201)


@routes.add("POST", "/users/:user_id/unblock")
def unblock(call: Call) -> Answer:
    """Undo ``block``."""
    call.require_admin()
    call.site.store.accounts.set_state(_user(call).id, "active")
    return Answer(True, 201)


@routes.add("POST", "/users/:user_id/personal_access_tokens")
def create_personal_token(call: Call) -> Answer:
    """Create a token for somebody."""
    return _create_token(call, impersonation=False)


@routes.add("POST", "/users/:user_id/impersonation_tokens")
def create_impersonation_token(call: Call) -> Answer:
    """Create a token for somebody who does not see it."""
    return _create_token(call, impersonation=True)


@routes.add("GET", "/users/:user_id/impersonation_tokens")
def impersonation_tokens(call: Call) -> Answer:
    """List somebody's impersonation tokens."""
    call.require_admin()
    part, headers = call.page(call.site.store.accounts.tokens(_user(call).id, impersonation=True))
    return Answer([entities.token(value, call.site.clock) for value in part], headers=headers)


@routes.add("DELETE", "/users/:user_id/impersonation_tokens/:token_id")
def revoke_impersonation_token(call: Call) -> Answer:
    """Revoke an impersonation token."""
    call.require_admin()
    for value in call.site.store.accounts.tokens(_user(call).id, impersonation=True):
        if str(value.id) == call.arguments["token_id"]:
            call.site.store.accounts.revoke(value.id)
            return Answer(None, 204)
    raise not_found("Impersonation Token")


@routes.add("GET", "/personal_access_tokens", "read_user")
def personal_tokens(call: Call) -> Answer:
    """List one's own tokens."""
    part, headers = call.page(call.site.store.accounts.tokens(call.user.id, impersonation=False))
    return Answer([entities.token(value, call.site.clock) for value in part], headers=headers)


@routes.add("GET", "/personal_access_tokens/self", *SCOPES)
def own_token(call: Call) -> Answer:
    """Answer what the token in use may do; any scope suffices."""
    _ = call.user
    value = call.viewer.token
    if value is None:
        raise not_found()
    return Answer(entities.token(value, call.site.clock))


@routes.add("DELETE", "/personal_access_tokens/:token_id")
def revoke_token(call: Call) -> Answer:
    """Revoke the token in use ("self") or another one of one's own."""
    wanted = call.arguments["token_id"]
    if wanted == "self" and call.viewer.token is not None:
        wanted = str(call.viewer.token.id)
    for value in call.site.store.accounts.tokens(call.user.id, impersonation=False):
        if str(value.id) == wanted:
            call.site.store.accounts.revoke(value.id)
            return Answer(None, 204)
    raise not_found()


def _create_token(call: Call, *, impersonation: bool) -> Answer:
    call.require_admin()
    user = _user(call)
    name = call.parameters.required("name")
    scopes = call.parameters.texts("scopes")
    if not scopes:
        raise invalid("scopes is missing")
    if any(scope not in SCOPES for scope in scopes):
        raise invalid("scopes does not have a valid value")
    expires = _expiry(call)
    value, secret = call.site.store.accounts.create_token(
        user.id, name=name, scopes=scopes, expires_at=expires, impersonation=impersonation
    )
    return Answer(entities.token(value, call.site.clock, secret), 201)


def _expiry(call: Call) -> date:
    today = call.site.clock.now().date()
    expires = call.parameters.day("expires_at")
    if expires is None:
        return today + LONGEST
    if expires < today:
        raise message(400, {"expires_at": ["cannot be a date in the past"]})
    if expires > today + LONGEST:
        raise message(400, {"expires_at": [f"must be before {(today + LONGEST).isoformat()}"]})
    return expires


def _user(call: Call) -> User:
    if call.viewer.user is None:
        raise forbidden()
    key = call.arguments["user_id"]
    user = call.site.store.accounts.find(int(key)) if key.isdecimal() else None
    if user is None:
        raise not_found("User")
    return user
