"""``hooks/pre-receive``: the script as a module, and as git starts it."""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "hooks" / "pre-receive" / "pre-receive"


@pytest.fixture(scope="session")
def hook() -> ModuleType:
    """Give the script's functions without starting it, and without leaving bytecode beside it."""
    loader = SourceFileLoader("pre_receive_hook", str(SCRIPT))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module
