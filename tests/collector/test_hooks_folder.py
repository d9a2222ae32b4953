"""``hooks/collector``: each file as the program that it is for takes it."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

import click
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from git_exchange.cli.main import cli
from git_exchange.collector import config
from git_exchange.collector.config import read_config
from git_exchange.collector.inbox import Inbox
from git_exchange.collector.metrics import Metrics
from git_exchange.collector.serving import serve
from git_exchange.errors import ConfigurationError
from tests.collector import deliveries
from tests.collector.receiving import Threaded, configure, post, threaded, until
from tests.collector.servers import NGINX, NOT_NGINX
from tests.jupyterhub.running import free_address
from tests.jupyterhub.running import running as running_hub

HOOKS = Path(__file__).parent.parent.parent / "hooks" / "collector"
DOCS = HOOKS.parent.parent / "docs"
UNITS = ("git-exchange-collector-serve.service", "git-exchange-collector-work.service")


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[Threaded]:
    inbox = Inbox.open(f"sqlite:///{tmp_path}/inbox.db")
    with threaded(inbox, tmp_path) as opened:
        yield opened
    inbox.close()


def unit(name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd tells capitals apart
    parser.read_string((HOOKS / name).read_text())
    return parser["Service"]


def test_the_example_s_configuration_can_be_read() -> None:
    found = read_config(HOOKS / "collector.toml")
    assert found.hooks.keys_file == Path("/var/lib/git-exchange/hook-keys")


def test_so_can_the_example_with_the_lines_that_are_commented_out(tmp_path: Path) -> None:
    text = (HOOKS / "collector.toml").read_text()
    whole, count = re.subn(r"^# (?=[a-z_]+ = |\[\[)", "", text, flags=re.MULTILINE)
    assert count == 5
    (tmp_path / "collector.toml").write_text(whole)
    found = read_config(tmp_path / "collector.toml")
    assert found.collect[0].course_dir == Path("/srv/calculus")
    assert found.receiver.metrics_token_file is not None


def test_every_key_of_the_configuration_stands_in_the_reference() -> None:
    page = (DOCS / "reference" / "collector.md").read_text()
    parts = {"hooks": config.Hooks, "receiver": config.Receiver, "storage": config.Storage}
    parts |= {"work": config.Work, "sweep": config.Sweep}
    keys = {f"`[{name}]` `{field.name}`" for name, part in parts.items() for field in fields(part)}
    keys |= {f"`{field.name}`" for part in (config.CollectRule, config._Forge) for field in fields(part)}
    assert {key for key in keys if key not in page} == set()


def test_every_metric_is_explained() -> None:
    page = (DOCS / "how-to" / "collector.md").read_text()
    names = {family.name for family in Metrics().registry.collect() if family.name.startswith("git_exchange")}
    assert {name for name in names if f"`{name}" not in page} == set()


def test_an_address_that_cannot_be_had_is_told(behind: Threaded) -> None:
    for address, port in (("127.0.0.1", behind.port), ("192.0.2.1", 0), ("127.0.0.1", 70_000)):
        with pytest.raises(ConfigurationError, match="cannot listen"):
            serve(behind.receiver, address, port, [], lambda _: None)


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_runs_a_command_that_the_command_line_understands(name: str, tmp_path: Path) -> None:
    program, group, command, *options = shlex.split(unit(name)["ExecStart"])
    assert (program, group) == ("/opt/git-exchange/bin/git-exchange", "collector")
    commands = cli.commands["collector"]
    assert isinstance(commands, click.Group)
    (tmp_path / "collector.toml").touch()
    options = [word.replace("/etc/git-exchange", str(tmp_path)) for word in options]
    commands.commands[command].make_context(command, options)


def test_only_the_workers_have_the_token() -> None:
    serve, work = (unit(name) for name in UNITS)
    assert "LoadCredential" not in serve
    assert "TOKEN" not in (HOOKS / UNITS[0]).read_text()
    assert work["LoadCredential"] == "token:/etc/git-exchange/token"
    assert serve["User"] == work["User"]  # they share the inbox, which nobody else reads


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze to check the units")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for name in UNITS:
        # The only thing that is not on this machine.
        text = (HOOKS / name).read_text().replace("/opt/git-exchange/bin/git-exchange", sys.executable)
        (tmp_path / name).write_text(text)
    drop_in = tmp_path / f"{UNITS[1]}.d"
    drop_in.mkdir()
    shutil.copy(HOOKS / "collect.conf", drop_in)
    command = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in UNITS)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    ours = [line for line in said.stderr.splitlines() if "git-exchange" in line or str(tmp_path) in line]
    assert (said.returncode, ours) == (0, [])


@contextmanager
def nginx(folder: Path, behind: Threaded) -> Iterator[str]:
    """Run the site on loopback with a certificate of its own; give its address."""
    assert NGINX is not None
    url = free_address().replace("http:", "https:")
    port = url.rpartition(":")[2]
    certificate(folder)
    site = (HOOKS / "nginx.conf").read_text()
    for here, there in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("    listen [::]:443 ssl;\n", ""),
        ("/etc/ssl/collector.example.edu/", f"{folder}/"),
        ("http://127.0.0.1:8077", behind.url),
        ("client_max_body_size 2000000", "client_max_body_size 100000"),
    ):
        assert here in site
        site = site.replace(here, there)
    (folder / "site.conf").write_text(site)
    places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{name}_temp_path {folder}/{name};" for name in places)
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;"
        f"events {{}} http {{ access_log off; {paths} include {folder}/site.conf; }}"
    )
    process = subprocess.Popen([NGINX, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"])
    try:

        def answers() -> bool:
            assert process.poll() is None, (folder / "error.log").read_text()
            try:
                return requests.get(f"{url}/healthz", verify=folder / "fullchain.pem", timeout=5).ok
            except requests.ConnectionError:
                return False

        until(answers)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "collector.example.edu")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


@pytest.mark.skipif(NGINX is None, reason=NOT_NGINX)
def test_nginx_brings_hooks_and_nothing_else(tmp_path: Path, behind: Threaded) -> None:
    with nginx(tmp_path, behind) as url, requests.Session() as session:
        session.trust_env = False  # certificates of whoever runs the tests
        session.verify = str(tmp_path / "fullchain.pem")
        data = deliveries.body("gitlab")
        now = datetime.now(timezone.utc)
        headers = dict(deliveries.gitlab(data, deliveries.secret(), signed=True, at=now, delivery="a"))
        hook = f"{url}/hooks/calculus/15"
        assert session.post(hook, data=data, headers=headers, timeout=20).status_code == 202
        assert session.post(hook, data=bytes(100_001), headers=headers, timeout=20).status_code == 413
        assert session.get(f"{behind.url}/metrics", timeout=20).status_code == 200
        for path in ("/metrics", "/hooks/../metrics", "/hooks/%2e%2e/metrics", "/healthz/../metrics", "/"):
            line = requests.Request("GET", url).prepare()
            line.url = f"{url}{path}"  # as it is written
            assert session.send(line, timeout=20).status_code in (400, 403, 404)
    assert behind.inbox.counts().waiting == 1


def test_jupyterhub_starts_it_and_brings_hooks_to_it(tmp_path: Path) -> None:
    url, service = free_address(), free_address()
    configure(tmp_path, f"sqlite:///{tmp_path}/inbox.db")
    environment = {
        "TEST_HUB_URL": url,
        "TEST_SERVICE_URL": service,
        "TEST_PIECES": str(HOOKS / "jupyterhub_config.py"),
    }
    with running_hub(Path(__file__).parent / "hub_config.py", tmp_path, url, environment):
        address = f"{url}/services/collector"
        until(lambda: requests.get(f"{address}/healthz", timeout=20).status_code == 200)
        assert post(address, "gitea", delivery="a").status_code == 202
        assert requests.get(f"{address}/metrics", timeout=20).status_code == 404
        assert requests.get(f"{service}/metrics", timeout=20).status_code == 200
    inbox = Inbox.open(f"sqlite:///{tmp_path}/inbox.db")
    assert inbox.counts().waiting == 1
    inbox.close()
