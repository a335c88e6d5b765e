"""`avatar-workers`: what people need of the workers on a command line.

avatar-workers digest DIR    print the digest of a base model's directory, for AvatarRuntime's spec.baseModel.sha256
"""

import argparse
import sys
from pathlib import Path

from avatar_workers.base_model.directory_digest import BaseModelRefused, directory_digest


def main(arguments: list[str] | None = None) -> int:
    """Run the command line, and return its exit status."""
    parser = argparse.ArgumentParser(prog="avatar-workers", description="Tools around the avatar workers.")
    commands = parser.add_subparsers(dest="command", required=True)
    digest = commands.add_parser("digest", help="print the digest of a base model's directory")
    digest.add_argument("directory", type=Path, help="a diffusers pipeline directory (with model_index.json)")
    options = parser.parse_args(arguments)
    try:
        print(directory_digest(options.directory))
    except (BaseModelRefused, OSError) as error:
        print(f"avatar-workers: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
