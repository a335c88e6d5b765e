"""What the doors of the serving worker need of whatever draws.

The interface is small so that the engine can be replaced: an engine keeps adapters under opaque names, tells what one
costs, and draws a batch of pictures with one of them or with the bare base.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from PIL import Image

from avatar_api.documents.inference import InferenceRequest, PictureRequest
from avatar_workers.serving.low_rank_adapter import LowRankAdapter


class DrawingAbandoned(Exception):
    """Nobody waits for the pictures any more."""


class DrawingEngine(Protocol):
    """One resident base, and adapters over it.

    `draw` is called by one thread at a time; `load` and `unload` may be called while it runs, but never for the
    adapter that it draws with.
    """

    @property
    def base_sha256(self) -> str:
        """Digest of the resident base."""
        ...

    @property
    def weight_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The layers that an adapter may change: their weights' shapes by name."""
        ...

    def resident_bytes(self, adapter: LowRankAdapter) -> int:
        """Bytes that the adapter will take on the device."""
        ...

    def load(self, name: str, adapter: LowRankAdapter) -> None:
        """Make an adapter resident.

        Raises:
            WorkerFailure: InsufficientMemory, if the device has no room after all.
        """
        ...

    def unload(self, name: str) -> None:
        """Free an adapter; afterwards its bytes are available again."""
        ...

    def draw(
        self,
        name: str | None,
        pictures: Sequence[PictureRequest],
        settings: InferenceRequest,
        is_abandoned: Callable[[], bool],
    ) -> list[Image.Image]:
        """Draw one batch.

        Args:
            name: the adapter, or None for the base itself.
            pictures: the batch; each picture depends on its own entry and on `settings` alone.
            settings: steps, guidance, size and scheduler (its own list of pictures is not looked at).
            is_abandoned: asked after every step.

        Returns:
            One RGB picture of settings.width x settings.height for each entry.

        Raises:
            DrawingAbandoned: if `is_abandoned` said so.
            WorkerFailure: InsufficientMemory; ArtifactInvalid if the adapter produces values that are no picture.
        """
        ...
