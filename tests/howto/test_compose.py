from __future__ import annotations

import re
from importlib.metadata import version

import pytest

from git_exchange.forge.gitea import versions
from tests.howto.pages import COMPOSE, FOLDER, README, ROOT, forgejo_settings

SERVICES = COMPOSE["services"]
DOCKERFILE = (FOLDER / "Dockerfile").read_text()
PINNED = dict(line.split("==") for line in (FOLDER / "requirements.txt").read_text().split())


def variables(text: str) -> set[str]:
    return set(re.findall(r"\$\{([A-Z_]+)", text))


def example(name: str) -> dict[str, str]:
    lines = (FOLDER / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_every_file_that_is_mounted_built_or_copied_exists() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (FOLDER / source).is_file(), source
            else:
                assert source in COMPOSE["volumes"]
        if "build" in service:
            context = (FOLDER / service["build"]["context"]).resolve()
            assert context == ROOT
            assert (context / service["build"]["dockerfile"]) == FOLDER / "Dockerfile"
    for line in re.findall(r"^COPY (?:--\S+ )?(.+)$", DOCKERFILE, flags=re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source


def test_every_volume_and_network_is_declared_and_used() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert {name for name in used if not name.startswith(".")} == set(COMPOSE["volumes"])
    assert {network for service in SERVICES.values() for network in service["networks"]} == set(COMPOSE["networks"])


@pytest.mark.parametrize(
    "image",
    [service["image"] for service in SERVICES.values() if "image" in service]
    + re.findall(r"^FROM (\S+)", DOCKERFILE, flags=re.MULTILINE),
)
def test_an_image_is_pinned_to_one_version_of_one_registry(image: str) -> None:
    assert re.fullmatch(r"[a-z.]+\.[a-z]+/[a-z/]+:\d+\.\d+\.\d+(-[a-z]+)*", image)


def test_the_forgejo_has_no_known_hole_and_is_the_one_that_the_page_names() -> None:
    (tag,) = re.findall(r":(\d+\.\d+\.\d+)-rootless$", SERVICES["forgejo"]["image"])
    assert versions.concern(f"{tag}+gitea-1.22.0") is None
    assert tag.startswith("15.")
    assert tag in README


def test_only_the_proxy_is_reachable_from_outside() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if service.get("ports")}
    assert published == {"proxy": ["80:80", "443:443"]}
    assert not any(service.get("network_mode") or service.get("privileged") for service in SERVICES.values())


def test_peoples_servers_reach_forgejo_through_the_proxy_only() -> None:
    assert not set(SERVICES["forgejo"]["networks"]) & set(SERVICES["jupyterhub"]["networks"])
    (alias,) = SERVICES["proxy"]["networks"]["hub"]["aliases"]
    assert variables(alias) == {"FORGE_HOST"}


@pytest.mark.parametrize(
    ("path", "blocked"),
    [
        ("/api/v1/repos/teaching.calculus/student-bo/diffpatch", True),
        ("/api/v1/repos/teaching.calculus/student-bo/diffpatch/", True),
        ("/api/v1/repos/teaching.calculus/student-bo/DiffPatch", True),
        ("/api/v1/repos/teaching.calculus/student-bo/contents", False),
        ("/teaching.calculus/student-bo.git/git-receive-pack", False),
    ],
)
def test_the_proxy_blocks_patches(path: str, blocked: bool) -> None:
    caddyfile = (FOLDER / "Caddyfile").read_text()
    (pattern,) = re.findall(r"path_regexp (\S+)", caddyfile)
    assert bool(re.search(pattern, path)) is blocked
    assert "respond @diffpatch" in caddyfile


def test_the_proxy_leads_to_where_the_services_listen() -> None:
    targets = re.findall(r"reverse_proxy (\S+):(\d+)", (FOLDER / "Caddyfile").read_text())
    assert dict(targets) == {"forgejo": "3000", "jupyterhub": "8000"}


def test_the_proxy_lets_through_what_the_server_takes() -> None:
    (megabytes,) = re.findall(r"max_size (\d+)MB", (FOLDER / "Caddyfile").read_text())
    (limit,) = [value for _, key, value in forgejo_settings() if key == "receive.maxInputSize"]
    assert int(megabytes) * 1_000_000 > int(limit)


def test_no_secret_is_in_any_file_and_none_is_committed_by_accident() -> None:
    assert all(value == "" for value in example("hub.env.example").values())
    assert set((FOLDER / ".gitignore").read_text().split()) == {".env", "hub.env"}
    assert SERVICES["jupyterhub"]["env_file"] == ["hub.env"]
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not re.search("SECRET|PASSWORD|TOKEN|CRYPT", name), name
            assert not re.fullmatch(r"[0-9a-zA-Z+/]{32,}", value)


def test_every_variable_is_in_the_examples_and_the_examples_hold_no_other() -> None:
    assert variables((FOLDER / "compose.yaml").read_text()) == set(example(".env.example"))
    config = (FOLDER / "jupyterhub_config.py").read_text()
    read = set(re.findall(r'os\.environ\["(\w+)"\]', config))
    assert read | {"JUPYTERHUB_CRYPT_KEY"} == set(example("hub.env.example")) | set(
        SERVICES["jupyterhub"]["environment"]
    )


@pytest.mark.parametrize("package", ["jupyterhub", "oauthenticator", "jupyterlab", "nbgrader"])
def test_the_image_holds_the_major_versions_that_the_tests_run_with(package: str) -> None:
    assert PINNED[package].split(".")[0] == version(package).split(".")[0]


@pytest.mark.parametrize("page", [README, (ROOT / "README.md").read_text(encoding="utf-8")], ids=["how-to", "README"])
def test_the_pages_name_the_versions_that_doctor_asks_for(page: str) -> None:
    for floor in versions.FORGEJO_FLOORS.values():
        assert ".".join(map(str, floor)) in page


def test_the_readme_names_the_version_of_gitea_that_doctor_asks_for() -> None:
    assert ".".join(map(str, versions.GITEA_FLOOR)) in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_backup_holds_every_volume_that_cannot_be_made_again() -> None:
    (saved,) = re.findall(r"^for volume in (.*); do$", README, flags=re.MULTILINE)
    assert set(saved.split()) == set(COMPOSE["volumes"]) - {"certificates"}
    assert f"{COMPOSE['name']}_$volume:" in README
