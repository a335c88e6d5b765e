"""What a test needs and this machine may not have: skipped with one line, but never where everything has to run.

With AVATAR_TESTS_SKIP_NOTHING in the environment a green run means that everything ran.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from debian_programs import ProgramMissing, debian_program


def missing(what: str) -> NoReturn:
    """Skip the test that needs something which is not here.

    Args:
        what: it, and why it is not here, for a person.

    Raises:
        pytest.fail.Exception: AVATAR_TESTS_SKIP_NOTHING is set.
    """
    if os.environ.get("AVATAR_TESTS_SKIP_NOTHING"):
        pytest.fail(f"AVATAR_TESTS_SKIP_NOTHING is set, and this machine lacks {what}")
    pytest.skip(what)


def needed_program(program: str, package: str) -> Path:
    """A program from PATH, or out of a package of Debian's; whoever needs it is skipped, or fails, where it is not to be had."""
    try:
        return debian_program(program, package)
    except ProgramMissing as error:
        missing(str(error))
