"""`python -m avatar_workers.training`: the training container's process.

AVATAR_BASE_MODEL_SOURCE, AVATAR_BASE_MODEL_SHA256, AVATAR_BASE_MODEL_CACHE   which base (see base_model.locate)
AVATAR_TORCH_THREADS      threads that torch computes with; by default all cores of this process
SAGEMAKER_BIND_TO_PORT    port to listen on, by default 8080
"""

import os
import signal
import sys

import structlog

from avatar_workers.base_model.locate import BaseModelSettings, locate_base_model
from avatar_workers.base_model.pipeline import load_base_model
from avatar_workers.errors import WorkerFailure
from avatar_workers.http.server import port_from_environment, serve
from avatar_workers.storage import S3ObjectStorage
from avatar_workers.structured_logging import configure_logging
from avatar_workers.torch_threads import limit_torch_threads
from avatar_workers.training.attempt import TrainingPlace
from avatar_workers.training.container import TrainingContainer

log = structlog.stdlib.get_logger(__name__)


def main() -> int:
    """Serve until SIGTERM. Returns the exit status: 1 if the settings are wrong or the base cannot be loaded."""
    configure_logging()
    failures: list[BaseException] = []
    try:
        settings = BaseModelSettings.from_environment()
        port = port_from_environment()
        limit_torch_threads()
    except WorkerFailure as failure:
        print(f"avatar training worker: {failure}", file=sys.stderr)
        return 1

    def open_place() -> TrainingPlace:
        storage = S3ObjectStorage()
        base = load_base_model(
            locate_base_model(settings, storage), sha256=settings.sha256, source=settings.source
        )
        return TrainingPlace(base, storage, settings.cache / "scratch", settings.cache / "class-images")

    def give_up(failure: BaseException) -> None:
        # The platform restarts a container that ends; one that never becomes ready only times out.
        log.error("the base model cannot be loaded", error=str(failure))
        failures.append(failure)
        os.kill(os.getpid(), signal.SIGTERM)

    container = TrainingContainer(open_place, give_up)
    serve(container.app(), port=port, on_stop=container.stop)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
