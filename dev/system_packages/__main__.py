"""The command line: `python -m system_packages`, as root on Debian. Standard library only, it runs before there is an environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from container_images import base
from local_cluster.node import requirements


def main() -> int:
    """Install what is missing.

    Returns:
        The exit status: 0, or 1 where it cannot be installed.
    """
    packages = _missing()
    if not packages:
        print("every system package is there")
        return 0
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(f"error: it takes root and apt to: {' '.join(install)}", file=sys.stderr)
        return 1
    print(f"installing {', '.join(packages)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "--quiet", "update"], install):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr.strip() or done.stdout.strip() or "no word of why").splitlines()[-1]
            print(f"error: {' '.join(command)}: {last}", file=sys.stderr)
            return 1
    if still := _missing():
        # `su` without `-` keeps the PATH of a user, who has no programs of root's.
        print(
            f"error: what {', '.join(still)} brought is not found; is /usr/sbin in PATH ({os.environ.get('PATH', '')})?",
            file=sys.stderr,
        )
        return 1
    return 0


def _missing() -> list[str]:
    return sorted({*requirements.missing_packages(), *base.missing_packages()})


if __name__ == "__main__":
    sys.exit(main())
