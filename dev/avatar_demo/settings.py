"""Where the demo keeps things and which ports it takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DEFAULT_STATE = PROJECT / ".demo"
DEFAULT_AWS_PORT = 4566
DEFAULT_OPERATOR_PORT = 8086


@dataclass(frozen=True)
class DemoSettings:
    """One demo environment.

    Attributes:
        state: directory of everything that the demo writes; absolute.
        aws_port: where sagemaker_local shall listen, on the loop-back address; None leaves one that runs where it is,
            and takes the default otherwise.
        operator_port: where the operator shall serve probes and metrics, likewise.
    """

    state: Path
    aws_port: int | None = None
    operator_port: int | None = None

    @property
    def environment(self) -> Path:
        """State and logs of what runs."""
        return self.state / "environment"

    @property
    def cluster(self) -> Path:
        """State directory of the cluster."""
        return self.environment / "cluster"

    @property
    def contact_sheet(self) -> Path:
        """The picture that the demo ends with."""
        return self.state / "contact-sheet.png"

    @property
    def shell_settings(self) -> Path:
        """A file to `source`: it points kubectl and the AWS tools to the demo."""
        return self.state / "env.sh"


CRDS = PROJECT / "crds"
RIGHTS = PROJECT / "charts" / "avatar-operator" / "files"
EXAMPLE = PROJECT / "examples" / "01-first-avatar"
BASE_MODEL = PROJECT / "dev" / "models" / "tiny-people"
JUDGE = PROJECT / "dev" / "models" / "tiny-judge"
