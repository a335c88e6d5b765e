"""Whether a package that the lock pins is known to have a hole.

`uv audit` asks the OSV data base. Where that cannot be reached (a sealed network) nothing is known, and that is said in one line
instead of being taken for good news or for a failure of the code.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_NONE_KNOWN, _SOME_KNOWN = 0, 1
_NO_ANSWER = ("error sending request", "HTTP status")
# uv's own three retries take ten seconds where there is no network.
_ENVIRONMENT = {"UV_HTTP_RETRIES": "1", "UV_PREVIEW_FEATURES": "audit-command"}


class AuditFailed(Exception):
    """The lock could not be looked at. One sentence."""


@dataclass(frozen=True)
class Advisories:
    """What is known of the packages in the lock.

    Attributes:
        text: for people; one line unless there are holes.
        holes: whether there are any.
    """

    text: str
    holes: bool


def ask(uv: str, project: Path, data_base: str | None) -> Advisories:
    """Ask about every package of the lock, those that only developers use included.

    Args:
        uv: the program.
        project: the directory of `uv.lock`.
        data_base: the address of another data base that answers as OSV does.

    Raises:
        AuditFailed: uv could not do its work, for another reason than a data base that cannot be reached.
    """
    command = [uv, "audit", "--frozen", *([f"--service-url={data_base}"] if data_base else [])]
    done = subprocess.run(
        command, cwd=project, env=_ENVIRONMENT | os.environ, capture_output=True, text=True, check=False
    )
    return read_answer(done.returncode, done.stdout, done.stderr)


def read_answer(status: int, found: str, said: str) -> Advisories:
    """What uv's exit status and words mean. Pure.

    Raises:
        AuditFailed: they are an error of its own.
    """
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = lines[-1] if lines else f"uv ended with status {status}"
    if status == _NONE_KNOWN:
        return Advisories(f"advisories: {last}", holes=False)
    if status == _SOME_KNOWN:
        return Advisories(f"{found.strip()}\n\nadvisories: {last}", holes=True)
    if any(words in said for words in _NO_ANSWER):
        reason = last.removeprefix("cause: ")
        return Advisories(
            f"advisories: NOT CHECKED, because no advisory data base can be reached from here ({reason})",
            holes=False,
        )
    raise AuditFailed(f"uv audit: {'; '.join(lines) or last}")
