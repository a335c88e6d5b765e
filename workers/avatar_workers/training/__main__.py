"""`python -m avatar_workers.training`: the training container's process.

    AVATAR_BASE_MODEL_SOURCE, AVATAR_BASE_MODEL_SHA256, AVATAR_BASE_MODEL_CACHE   which base (see base_model.locate)
    AVATAR_TORCH_THREADS      threads that torch computes with; by default all cores of this process
    SAGEMAKER_BIND_TO_PORT    port to listen on, by default 8080
    AVATAR_BIND_ADDRESS       address to listen on, by default 127.0.0.1; an image says 0.0.0.0

Torch and diffusers are imported by the thread that loads the base, after the settings have been checked and the base
has been found: importing them takes many seconds, in which SageMaker already wants an answer on `/ping`, and an
operator of a wrongly set up worker wants to read why.
"""

import os
import signal
import sys

import structlog

from avatar_workers.base_model.locate import BaseModelSettings, locate_base_model
from avatar_workers.errors import WorkerFailure
from avatar_workers.http.server import ListeningPlace, serve
from avatar_workers.storage import S3ObjectStorage
from avatar_workers.structured_logging import configure_logging
from avatar_workers.training.container import Train, TrainingContainer
from avatar_workers.training.own_memory import close_own_memory
from avatar_workers.training.torch_threads import torch_threads_from_environment

log = structlog.stdlib.get_logger(__name__)


def main() -> int:
    """Serve until SIGTERM. Returns the exit status: 1 if the settings are wrong or the base cannot be loaded."""
    close_own_memory()
    configure_logging()
    try:
        settings = BaseModelSettings.from_environment()
        place = ListeningPlace.from_environment()
        threads = torch_threads_from_environment()
    except WorkerFailure as failure:
        print(f"avatar training worker: {failure}", file=sys.stderr)
        return 1
    failures: list[BaseException] = []

    def give_up(failure: BaseException) -> None:
        # The platform restarts a container that ends; one that never becomes ready only times out.
        unexpected = None if isinstance(failure, WorkerFailure | OSError) else failure
        log.error("the base model cannot be loaded", error=str(failure), exc_info=unexpected)
        failures.append(failure)
        os.kill(os.getpid(), signal.SIGTERM)

    container = TrainingContainer(lambda: _open_trainer(settings, threads), give_up)
    serve(container.app(), place=place, on_stop=container.stop)
    return 1 if failures else 0


def _open_trainer(settings: BaseModelSettings, threads: int) -> Train:
    storage = S3ObjectStorage()
    directory = locate_base_model(settings, storage)

    import torch

    from avatar_workers.base_model.pipeline import load_base_model
    from avatar_workers.training.attempt import Trainer

    torch.set_num_threads(threads)
    base = load_base_model(directory, sha256=settings.sha256, source=settings.source)
    trainer = Trainer(base, storage, settings.cache / "scratch", settings.cache / "class-images")
    log.info("base model loaded", sha256=base.sha256, device=str(base.device), torch_threads=threads)
    return trainer.train


if __name__ == "__main__":
    sys.exit(main())
