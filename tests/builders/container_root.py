"""Runs a command in an image's files as a container runtime does under Pod Security `restricted`: any uid, a read-only root."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from container_images.quick import QuickImage

RANDOM_UID = 1000710000
"""Such a number has no entry in /etc/passwd: OpenShift gives each namespace others."""

_ENTER = """
set -eu
root=$1 uid=$2 writable=$3
shift 3
mount --bind "$root" "$root"
for mounted in $writable; do mount -t tmpfs -o mode=1777 tmpfs "$root$mounted"; done
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
exec /usr/sbin/chroot "$root" /usr/bin/setpriv --reuid="$uid" --regid=0 --clear-groups --no-new-privs --bounding-set=-all "$@"
"""


@dataclass(frozen=True)
class ContainerRoot:
    """The files of an image, unpacked.

    Attributes:
        image: what was unpacked.
        path: where.
        writable: places that are file systems in memory, as an emptyDir is.
    """

    image: QuickImage
    path: Path
    writable: tuple[str, ...] = field(default=())

    @classmethod
    def unpack(cls, image: QuickImage, path: Path, writable: tuple[str, ...] = ()) -> ContainerRoot:
        """Lay its layers over each other."""
        path.mkdir(parents=True)
        for layer in image.layers:
            subprocess.run(["tar", "--extract", f"--file={layer.path}", f"--directory={path}"], check=True)
        return cls(image, path, writable)

    def put(self, name: str, content: str) -> None:
        """Put a file into it, as a mounted volume would.

        Raises:
            ValueError: a link in the image leads out of it, to a place of this machine.
        """
        place = (self.path / name).resolve()
        if not place.is_relative_to(self.path.resolve()):
            raise ValueError(f"{name} is {place} here, outside the image")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start the image's own program; end it with `end`.

        Args:
            arguments: after those of the image.
            environment: beside the image's own; nothing else is set, HOME neither.
        """
        command = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", _ENTER, "sh"]
        return subprocess.Popen(
            [
                *command,
                str(self.path),
                str(RANDOM_UID),
                " ".join(self.writable),
                *self.image.words.entrypoint,
                *arguments,
            ],
            env={**self.image.words.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def pid(process: subprocess.Popen[str]) -> int:
        """The number that the program has outside of its own processes."""
        return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())

    def end(self, process: subprocess.Popen[str]) -> int:
        """Ask the program to end, as a kubelet does, and return its status."""
        os.kill(self.pid(process), signal.SIGTERM)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            os.kill(self.pid(process), signal.SIGKILL)
            process.communicate()
        return process.returncode

    def run(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        """Run it until it ends: its status, and what it said on both streams."""
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err
