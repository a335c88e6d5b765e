"""Put a LoRA on the resident base, take it off again, and write it the way diffusers reads it.

Which layers: attention, feed-forward, the projections around them and the ResNet blocks' convolutions. Attention alone
is the usual choice for large bases; a likeness on a small base needs the rest too (colour and shape sit in the
convolutions), and on a large one it costs little. alpha equals the rank, so the learning rate means the same at every
rank up to the rank's own effect. (LoRA: Hu et al., 2106.09685.)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from diffusers.training_utils import cast_training_params
from diffusers.utils.state_dict_utils import convert_state_dict_to_diffusers
from peft import LoraConfig, get_peft_model_state_dict

from avatar_workers.base_model.pipeline import BaseModel

ATTENTION_TARGETS = ("to_k", "to_out.0", "to_q", "to_v")
UNET_TARGETS = (
    *ATTENTION_TARGETS,
    "conv1",
    "conv2",
    "conv_shortcut",
    "ff.net.0.proj",
    "ff.net.2",
    "proj_in",
    "proj_out",
)
TEXT_ENCODER_TARGETS = ("k_proj", "out_proj", "q_proj", "v_proj")
ADAPTER_NAME = "personal"


@dataclass(frozen=True)
class LoraOnBase:
    """The LoRA while it is on the base."""

    base: BaseModel
    rank: int
    with_text_encoder: bool

    def models(self) -> list[torch.nn.Module]:
        """The models of the base that carry the LoRA."""
        pipeline = self.base.pipeline
        return [pipeline.unet, pipeline.text_encoder] if self.with_text_encoder else [pipeline.unet]

    def parameters(self) -> list[torch.nn.Parameter]:
        """What is trained, float32: down and up weights of every targeted layer."""
        return [parameter for model in self.models() for parameter in self.parameters_of(model)]

    def parameters_of(self, model: torch.nn.Module) -> list[torch.nn.Parameter]:
        """What is trained in one of `models()`."""
        return [parameter for parameter in model.parameters() if parameter.requires_grad]

    @contextmanager
    def switched_off(self) -> Iterator[None]:
        """The base as it was, for the length of the `with`."""
        for model in self.models():
            _adapters(model).disable_adapters()
        try:
            yield
        finally:
            for model in self.models():
                _adapters(model).enable_adapters()

    def save(self, directory: Path) -> None:
        """Write `pytorch_lora_weights.safetensors`, float16, with the metadata that alpha survives in."""
        writer: Any = StableDiffusionPipeline
        pipeline = self.base.pipeline
        writer.save_lora_weights(
            directory,
            # In PEFT's own names: diffusers' converter renames attention and leaves convolutions, and the reader takes
            # one style or the other, so half of a converted file would be dropped without a word.
            unet_lora_layers=_half_precision(
                get_peft_model_state_dict(pipeline.unet, adapter_name=ADAPTER_NAME)
            ),
            unet_lora_adapter_metadata=self._metadata(UNET_TARGETS),
            **(
                {
                    "text_encoder_lora_layers": _half_precision(
                        convert_state_dict_to_diffusers(
                            get_peft_model_state_dict(pipeline.text_encoder, adapter_name=ADAPTER_NAME)
                        )
                    ),
                    "text_encoder_lora_adapter_metadata": self._metadata(TEXT_ENCODER_TARGETS),
                }
                if self.with_text_encoder
                else {}
            ),
        )

    def _metadata(self, targets: tuple[str, ...]) -> dict[str, object]:
        return {"r": self.rank, "lora_alpha": self.rank, "target_modules": sorted(targets)}


@contextmanager
def lora_on_base(base: BaseModel, *, rank: int, train_text_encoder: bool, seed: int) -> Iterator[LoraOnBase]:
    """Add a fresh LoRA to the base for the length of the `with`. The base is unchanged after it, whatever happened.

    Args:
        base: the resident base, without an adapter.
        rank: of every layer.
        train_text_encoder: whether the text encoder gets a LoRA as well.
        seed: of the down weights; the up weights begin at zero, so the LoRA begins as nothing.
    """
    pipeline = base.pipeline
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            pipeline.unet.add_adapter(_config(rank, UNET_TARGETS), adapter_name=ADAPTER_NAME)
            if train_text_encoder:
                pipeline.text_encoder.add_adapter(
                    _config(rank, TEXT_ENCODER_TARGETS), adapter_name=ADAPTER_NAME
                )
        lora = LoraOnBase(base, rank, train_text_encoder)
        for model in lora.models():
            cast_training_params(model, dtype=torch.float32)
        yield lora
    finally:
        pipeline.unload_lora_weights()
        for model in (pipeline.unet, pipeline.text_encoder):
            model.requires_grad_(False)
            model.eval()


def _adapters(model: torch.nn.Module) -> Any:
    """The adapter methods that diffusers and transformers mix into their models, which defy static types."""
    return model


def _config(rank: int, targets: tuple[str, ...]) -> LoraConfig:
    return LoraConfig(r=rank, lora_alpha=rank, init_lora_weights="gaussian", target_modules=list(targets))


def _half_precision(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().to("cpu", torch.float16).contiguous() for name, tensor in state.items()}
