"""What `avatar-operator` says of itself on a command line: it takes no arguments, everything is set by environment variables.

Arguments are read all the same. A program that ignores `--help` and a misspelt option starts to work on a cluster instead, as
whoever typed it.
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from importlib.metadata import version

from avatar_operator.settings import OperatorSettings

_ABOUT = """Runs the operator for AvatarModel, AvatarRequest and AvatarRuntime until SIGTERM.

It logs in as its own service account in a cluster, else as KUBECONFIG says. AWS is reached as boto3 finds it."""


def read_command_line(arguments: Sequence[str] | None = None) -> None:
    """Answer `--help` and `--version`, and refuse what is not known.

    Args:
        arguments: without the program's name; those of this process by default.

    Raises:
        SystemExit: it has answered (0), or refuses (2).
    """
    parser = argparse.ArgumentParser(
        prog="avatar-operator",
        description=_ABOUT,
        epilog=f"environment variables:\n{_variables()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"avatar-operator {version('avatar-operator')}"
    )
    parser.parse_args(arguments)


def _variables() -> str:
    prefix = str(OperatorSettings.model_config["env_prefix"])
    return "\n".join(
        f"  {prefix}{name.upper()}\n{textwrap.indent(textwrap.fill(field.description or '', 100), ' ' * 6)}"
        for name, field in OperatorSettings.model_fields.items()
    )
