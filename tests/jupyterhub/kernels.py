"""What code in a notebook sees."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.jupyterhub.browser import Browser


def environment_of_a_kernel(browser: Browser, name: str, home: Path) -> dict[str, str]:
    """Start a kernel in somebody's server, and return the environment that its code has."""
    seen = home / "seen.json"
    seen.unlink(missing_ok=True)
    startup = home / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    (startup / "look.py").write_text(
        "import json, os, pathlib\n"
        f"place = pathlib.Path({str(seen)!r})\n"
        "place.with_suffix('.part').write_text(json.dumps(dict(os.environ)))\n"
        "place.with_suffix('.part').rename(place)\n"
    )
    answer = browser.send("POST", f"/user/{name}/api/kernels", json={"name": "python3"})
    assert answer.status_code == 201, answer.text
    limit = time.monotonic() + 120
    while not seen.exists():
        assert time.monotonic() < limit, "the kernel did not start"
        time.sleep(0.1)  # polling a starting kernel, with a limit
    browser.send("DELETE", f"/user/{name}/api/kernels/{answer.json()['id']}")
    found: dict[str, str] = json.loads(seen.read_text())
    return found
