"""`python -m avatar_workers.serving`: run the serving container.

The base is named by AVATAR_BASE_MODEL_SOURCE, _SHA256 and _CACHE (see avatar_workers.base_model.locate), limits by the
variables of avatar_workers.serving.settings, where to listen by AVATAR_BIND_ADDRESS (127.0.0.1; an image says 0.0.0.0) and
SAGEMAKER_BIND_TO_PORT (8080). AWS_ENDPOINT_URL and the usual credentials reach S3. SIGTERM lets drawings in flight finish
for 15 s.
"""

import signal
import sys

import torch

from avatar_workers.base_model.locate import BaseModelSettings, locate_base_model
from avatar_workers.base_model.pipeline import load_base_model
from avatar_workers.errors import WorkerFailure
from avatar_workers.http.server import ListeningPlace, serve
from avatar_workers.serving.container import ServingContainer
from avatar_workers.serving.engine import DrawingEngine
from avatar_workers.serving.hooked_engine import HookedEngine
from avatar_workers.serving.settings import ServingSettings
from avatar_workers.storage import S3ObjectStorage
from avatar_workers.structured_logging import configure_logging


def main() -> int:
    """Serve until SIGTERM. Returns 0, or 1 with one line on stderr if the container could not start."""
    configure_logging()
    failures: list[Exception] = []
    try:
        settings = ServingSettings.from_environment()
        base_settings = BaseModelSettings.from_environment()
        place = ListeningPlace.from_environment()
    except WorkerFailure as failure:
        return _report(failure)
    if settings.torch_threads:
        torch.set_num_threads(settings.torch_threads)
    storage = S3ObjectStorage()

    def open_engine() -> DrawingEngine:
        directory = locate_base_model(base_settings, storage)
        return HookedEngine(
            load_base_model(directory, sha256=base_settings.sha256, source=base_settings.source)
        )

    def on_failed_start(error: Exception) -> None:
        failures.append(error)
        signal.raise_signal(signal.SIGTERM)

    container = ServingContainer(open_engine, storage, settings, on_failed_start)
    # uvicorn raises the signals that it caught once more when it has stopped: by then we are ending anyway.
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: None)
    serve(container.app, place=place, on_stop=container.stop)
    return _report(failures[0]) if failures else 0


def _report(failure: Exception) -> int:
    print(f"avatar serving worker: {failure}", file=sys.stderr)
    return 1
