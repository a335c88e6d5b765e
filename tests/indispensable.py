"""What a test needs and this machine may not have: skipped with one line, but never where everything has to run.

With AVATAR_TESTS_SKIP_NOTHING in the environment a green run means that everything ran.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from container_images.base import why_not as why_no_image
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


def needed_images() -> None:
    """Nothing, where images can be made; whoever needs one is skipped, or fails, elsewhere."""
    reason = why_no_image()
    if reason is not None:
        missing(f"what images are made with: {reason}")


def needed_program(program: str, package: str) -> Path:
    """A program from PATH, or out of a package of Debian's; whoever needs it is skipped, or fails, where it is not to be had."""
    try:
        return debian_program(program, package)
    except ProgramMissing as error:
        missing(str(error))
