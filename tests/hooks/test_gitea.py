"""A real Gitea or Forgejo whose administrator has given the hook, and its limits, to every new repository."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import requests

from git_exchange.secret import Token
from tests import realforge
from tests.contract.working_copy import WorkingCopy
from tests.hooks.conftest import SCRIPT

REF = "refs/heads/submit/ps1"

# As in hooks/pre-receive/README.md.
CONFIGURATION = """\
[git.config]
init.templateDir = {template}
gitexchange.maxFileSize = 1k
gitexchange.projects = */student-*
"""


@pytest.mark.skipif(realforge.binary() is None, reason="no Gitea or Forgejo to start")
def test_every_new_repository_has_the_hook_with_the_limits_of_the_configuration(tmp_path: Path) -> None:
    template, binary = tmp_path / "template", realforge.binary()
    hooks = template / "hooks" / "pre-receive.d"
    hooks.mkdir(parents=True)
    shutil.copy(SCRIPT, hooks / "git-exchange")
    assert binary is not None
    extra = CONFIGURATION.format(template=template)
    with realforge.started(binary, tmp_path / "forge", immediate=True, extra=extra) as forge:
        token, copy = Token(forge.token), WorkingCopy(tmp_path / "work")
        for name in ("student-ann", "research"):
            headers = {"Authorization": f"token {forge.token}"}
            body = {"name": name, "private": True, "auto_init": True}
            made = requests.post(f"{forge.url}/api/v1/user/repos", json=body, headers=headers, timeout=60)
            made.raise_for_status()
        url = f"{forge.url}/{realforge.ADMINISTRATOR}"
        small, large = copy.commit("small"), copy.commit("large", text="x" * 2_000)
        assert copy.push(f"{url}/student-ann.git", token, f"{small}:{REF}").accepted
        pushed = copy.push(f"{url}/student-ann.git", token, f"{large}:{REF}-2")
        assert not pushed.accepted
        assert "remote: git-exchange: p1.txt: it has 2,000 bytes, and 1,024 are allowed for a file." in pushed.output
        assert f"{REF}-2" not in (copy.read(f"{url}/student-ann.git", token) or {REF + "-2"})
        assert copy.push(f"{url}/student-ann.git", token, f"{large}:refs/heads/other").accepted
        assert copy.push(f"{url}/research.git", token, f"{large}:{REF}").accepted
