"""Programs that tests run and that may be missing: then a test is skipped on a user's machine and fails in CI."""

import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skips, but never in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def program_named(*names: str) -> str:
    """Where the first of these is installed, in PATH or beside this Python."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    found = next((path_of for name in names if (path_of := shutil.which(name, path=path))), None)
    return found or missing(f"{names[0]} is not installed")
