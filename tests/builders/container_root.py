"""Runs a command in an image's files as a container runtime does under Pod Security `restricted`: any uid, a read-only root."""

from __future__ import annotations

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

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start the image's own program.

        Args:
            arguments: after those of the image.
            environment: beside the image's own; nothing else is set, HOME neither.
        """
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _ENTER, "sh"]
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

    def run(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        """Run it until it ends: its status, and what it said on both streams."""
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err
