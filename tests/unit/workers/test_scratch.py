"""Scratch directories vanish with their makers."""

import subprocess
import sys
from pathlib import Path

from avatar_workers.scratch import discard_abandoned, scratch_directory

MAKER = """
import sys
from pathlib import Path
from avatar_workers.scratch import scratch_directory
with scratch_directory(Path(sys.argv[1])) as directory:
    (directory / "photo").write_text("private")
    print("made", flush=True)
    sys.stdin.read()
"""


def test_it_is_gone_after_use(tmp_path: Path) -> None:
    with scratch_directory(tmp_path) as directory:
        (directory / "file").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_uses_is_not(tmp_path: Path) -> None:
    maker = subprocess.Popen(
        [sys.executable, "-c", MAKER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert maker.stdout is not None
        assert maker.stdout.readline() == "made\n"
        discard_abandoned(tmp_path)
        assert [path.name for path in tmp_path.rglob("photo")] == ["photo"]
    finally:
        maker.kill()
        maker.communicate()
    discard_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == []
