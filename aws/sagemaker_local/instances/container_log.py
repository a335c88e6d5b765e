"""The log of one container: a file in its instance's directory, and a stream in CloudWatch Logs.

The file is bounded, because a container that prints in a loop must not fill the disk; so is the stream (logs.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import IO

from sagemaker_local.instances.container_spec import Placement
from sagemaker_local.instances.logs import LogShipper, LogStream

MAX_LOG_FILE_BYTES = 64 << 20
MAX_LINE_BYTES = 16 << 10


class ContainerLog:
    """Takes what a container prints, and what is said about it."""

    def __init__(self, file: Path, placement: Placement, instance_id: str, shipper: LogShipper) -> None:
        self._file = file
        self._stream = LogStream(placement.scope, placement.log_group(), placement.log_stream(instance_id))
        self._shipper = shipper

    @property
    def stream_arn(self) -> str:
        """The ARN of its CloudWatch log stream."""
        stream = self._stream
        return stream.scope.arn("logs", f"log-group:{stream.group}:log-stream:{stream.stream}")

    def write(self, line: str) -> None:
        """Add a line beside what the container prints itself."""
        with self._file.open("ab") as file:
            file.write(f"{line}\n".encode())
        self._shipper.emit(self._stream, line)

    def take(self, output: IO[bytes]) -> None:
        """Carry a process's output here until it ends. Runs on a thread of its own."""
        written = 0
        with output, self._file.open("ab") as file:
            while line := output.readline(MAX_LINE_BYTES):
                if written < MAX_LOG_FILE_BYTES:
                    file.write(line)
                    file.flush()
                    written += len(line)
                    if written >= MAX_LOG_FILE_BYTES:
                        file.write(f"\n[sagemaker-local: log cut at {MAX_LOG_FILE_BYTES} bytes]\n".encode())
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                if text:
                    self._shipper.emit(self._stream, text)
