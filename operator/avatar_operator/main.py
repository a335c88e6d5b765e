"""The process: settings, credentials, backends, and one line on standard error if it cannot start."""

import asyncio
import sys

from pydantic import ValidationError

from avatar_operator.errors import StartUpError
from avatar_operator.logs import configure_logs
from avatar_operator.settings import OperatorSettings


def main() -> None:
    """Run the operator; the exit code is 0 after a signal and 1 if it could not start or go on."""
    try:
        settings = OperatorSettings()  # type: ignore[call-arg]
    except ValidationError as error:
        problems = "; ".join(
            f"AVATAR_OPERATOR_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()
        )
        sys.exit(f"avatar-operator: {problems}")
    configure_logs(settings)
    try:
        asyncio.run(run(settings))
    except StartUpError as error:
        sys.exit(f"avatar-operator: {error}")
