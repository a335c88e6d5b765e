"""Load the base model: from local files, from safetensors, and never anybody's code.

The pipeline is frozen: no parameter requires gradients, every module is in eval mode. On a GPU its weights are
bfloat16, which keeps float32's range (the SD VAE overflows float16); on a CPU they are float32.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import DiffusionPipeline, StableDiffusionPipeline
from diffusers.models.attention_processor import AttnProcessor

from avatar_workers.errors import WorkerFailure


@dataclass(frozen=True)
class BaseModel:
    """A resident base and the digest it is known by.

    `pipeline` is a StableDiffusionPipeline; diffusers' lazy attributes defy static types.
    """

    sha256: str
    source: str
    pipeline: Any
    device: torch.device


def preferred_device() -> torch.device:
    """The first GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def load_base_model(
    directory: Path, *, sha256: str, source: str, device: torch.device | None = None
) -> BaseModel:
    """Load a pipeline directory, frozen.

    Args:
        directory: what `locate_base_model` returned.
        sha256: the directory's digest.
        source: where it came from, for provenance.
        device: where to put it; by default `preferred_device()`.

    Raises:
        WorkerFailure: InvalidConfiguration, if diffusers cannot load it or it is of an architecture we do not know.
    """
    device = device or preferred_device()
    loader: Any = DiffusionPipeline
    # Progress bars are for terminals; these lines go to a log.
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    try:
        pipeline = loader.from_pretrained(
            directory,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.bfloat16 if device.type == "cuda" else torch.float32,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise WorkerFailure(
            "InvalidConfiguration", f"base model {source} cannot be loaded: {error}"
        ) from error
    architecture = type(pipeline)
    if architecture is not StableDiffusionPipeline:
        raise WorkerFailure(
            "InvalidConfiguration",
            f"base model {source} is a {architecture.__name__}, which the workers can neither train nor draw with yet;"
            " give a StableDiffusionPipeline (Stable Diffusion 1.x or 2.x, one text encoder)",
        )
    prediction_type = pipeline.scheduler.config.prediction_type
    if prediction_type not in ("epsilon", "v_prediction"):
        raise WorkerFailure(
            "InvalidConfiguration",
            f"base model {source} predicts {prediction_type!r}, which this worker cannot train",
        )
    pipeline.set_progress_bar_config(disable=True)
    for module in _modules(pipeline):
        module.requires_grad_(False)
        module.eval()
        module.to(device)
    if device.type == "cpu":
        # Scaled-dot-product attention's backward takes a third of a training step on a CPU, and gains nothing at its sizes.
        pipeline.unet.set_attn_processor(AttnProcessor())
        pipeline.text_encoder.set_attn_implementation("eager")
    return BaseModel(sha256, source, pipeline, device)


def _modules(pipeline: Any) -> list[torch.nn.Module]:
    return [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
