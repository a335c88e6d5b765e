"""The first engine: diffusers draws, and forward hooks add the personal model.

While a batch is drawn, each layer that the adapter touches carries a hook that adds up(down(x)) to its output; after
the batch the hooks are gone, so the base is the base again to the bit. Resident adapters are plain tensors in a dict.

PEFT's own adapters would do the same arithmetic (a test holds this engine against them), but they rewrite the base's
modules, cost a walk over all modules for each load (seconds for SDXL once a dozen are resident), match adapter names
by substring so that swapping `user1` zeroes `user10` (huggingface/peft#3780), and would have to be trusted with a
configuration that a user's file brings along.

The price: one adapter a batch. Pictures of different people share no denoising step here.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (what every torch programmer calls it)
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    UniPCMultistepScheduler,
)
from PIL import Image
from torch import nn

from avatar_api.avatar_request import SchedulerName
from avatar_api.documents.inference import InferenceRequest, PictureRequest
from avatar_workers.base_model.pipeline import BaseModel
from avatar_workers.errors import WorkerFailure
from avatar_workers.serving.engine import DrawingAbandoned
from avatar_workers.serving.low_rank_adapter import LowRankAdapter, LowRankUpdate, adaptable_modules

SCHEDULERS: Mapping[SchedulerName, Any] = MappingProxyType(
    {
        "DDIM": DDIMScheduler,
        "DPMSolverMultistep": DPMSolverMultistepScheduler,
        "EulerDiscrete": EulerDiscreteScheduler,
        "UniPCMultistep": UniPCMultistepScheduler,
    }
)


class HookedEngine:
    """A DrawingEngine over a Stable Diffusion pipeline, which it owns from now on."""

    def __init__(self, base: BaseModel) -> None:
        # diffusers warns of a prompt that is too long by quoting what it cuts off: a user's words, in our log.
        logging.getLogger(type(base.pipeline).__module__).setLevel(logging.ERROR)
        self._base = base
        self._scheduler_config = base.pipeline.scheduler.config
        self._dtype: torch.dtype = base.pipeline.unet.dtype
        self._modules = dict(adaptable_modules(base.pipeline))
        self._weight_shapes = MappingProxyType(
            {name: tuple(module.weight.shape) for name, module in self._modules.items()}
        )
        self._adapters: dict[str, LowRankAdapter] = {}

    @property
    def base_sha256(self) -> str:
        """See DrawingEngine."""
        return self._base.sha256

    @property
    def weight_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """See DrawingEngine."""
        return self._weight_shapes

    def resident_bytes(self, adapter: LowRankAdapter) -> int:
        """See DrawingEngine."""
        return adapter.element_count * self._dtype.itemsize

    def load(self, name: str, adapter: LowRankAdapter) -> None:
        """See DrawingEngine."""
        with _typed_memory_errors():
            self._adapters[name] = LowRankAdapter(
                {
                    layer: LowRankUpdate(self._on_device(update.down), self._on_device(update.up))
                    for layer, update in adapter.updates.items()
                }
            )

    def unload(self, name: str) -> None:
        """See DrawingEngine."""
        del self._adapters[name]

    @torch.inference_mode()
    def draw(
        self,
        name: str | None,
        pictures: Sequence[PictureRequest],
        settings: InferenceRequest,
        is_abandoned: Callable[[], bool],
    ) -> list[Image.Image]:
        """See DrawingEngine."""

        def stop_if_abandoned(
            _pipeline: object, _step: int, _time: object, tensors: dict[str, Any]
        ) -> dict[str, Any]:
            if is_abandoned():
                raise DrawingAbandoned
            return tensors

        pipeline: Any = self._base.pipeline
        pipeline.scheduler = SCHEDULERS[settings.scheduler].from_config(self._scheduler_config)
        with self._hooks(name), _typed_memory_errors():
            batch: torch.Tensor = pipeline(
                prompt=[picture.prompt for picture in pictures],
                negative_prompt=[picture.negative_prompt for picture in pictures],
                # One generator a picture, on the CPU: the same seed is the same noise in every batch, on every device.
                generator=[torch.Generator("cpu").manual_seed(picture.seed) for picture in pictures],
                num_inference_steps=settings.num_inference_steps,
                guidance_scale=settings.guidance_scale,
                width=settings.width,
                height=settings.height,
                output_type="pt",
                callback_on_step_end=stop_if_abandoned,
            ).images
        if not torch.isfinite(batch).all():
            raise WorkerFailure(
                "InternalError" if name is None else "ArtifactInvalid",
                "drawing produced values that are not finite: the "
                + (
                    "base model's weights overflow" if name is None else "personal model diverged in training"
                ),
            )
        images: list[Image.Image] = pipeline.image_processor.numpy_to_pil(
            batch.cpu().permute(0, 2, 3, 1).float().numpy()
        )
        return images

    def _on_device(self, tensor: torch.Tensor) -> torch.Tensor:
        # A copy even where nothing changes: a view would keep the whole file's buffer alive beyond the budget.
        return tensor.to(self._base.device, self._dtype, copy=True).contiguous()

    @contextmanager
    def _hooks(self, name: str | None) -> Iterator[None]:
        updates = {} if name is None else self._adapters[name].updates
        handles = [
            self._modules[layer].register_forward_hook(_add(update)) for layer, update in updates.items()
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


def _add(
    update: LowRankUpdate,
) -> Callable[[nn.Module, tuple[torch.Tensor, ...], torch.Tensor], torch.Tensor]:
    def hook(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
        if isinstance(module, nn.Conv2d):
            padding = module.padding if isinstance(module.padding, str) else tuple(module.padding)
            reduced = F.conv2d(
                inputs[0], update.down, stride=module.stride, padding=padding, dilation=module.dilation
            )
            return output + F.conv2d(reduced, update.up)
        return output + F.linear(F.linear(inputs[0], update.down), update.up)

    return hook


@contextmanager
def _typed_memory_errors() -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise WorkerFailure("InsufficientMemory", "the accelerator has no memory left for this") from error
