"""A personal model as the engine wants it: low-rank updates of named layers of the base, and nothing else.

`avatar_workers.artifact` has checked the weights as far as that goes without a base. Here they meet the base: every
tensor must belong to a layer that it has, in the shape that the layer needs, and alpha / r (2106.09685, section 4.1)
is multiplied into the second matrix, so that no configuration outlives the file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from diffusers import StableDiffusionPipeline
from torch import nn

from avatar_workers.artifact.lora_weights import DOWN_HALVES, TENSOR_NAME, LoraWeights
from avatar_workers.errors import WorkerFailure

ADAPTABLE_COMPONENTS = ("unet", "text_encoder")
MAX_SCALE = 1024.0
LEVEL_GONE_WITH_TRANSFORMERS_5 = "text_encoder.text_model."


@dataclass(frozen=True)
class LowRankUpdate:
    """What is added to one layer's output: up(down(x)).

    `down` is [r, in] (or [r, in, kh, kw] for a convolution), `up` is [out, r] (or [out, r, 1, 1]), scale included.
    """

    down: torch.Tensor
    up: torch.Tensor


@dataclass(frozen=True)
class LowRankAdapter:
    """A whole personal model: updates by the name of their layer, `unet.mid_block.attentions.0.proj_in`."""

    updates: Mapping[str, LowRankUpdate]

    @property
    def element_count(self) -> int:
        """Elements of all updates: times the engine's element size, what the adapter costs while resident."""
        return sum(update.down.numel() + update.up.numel() for update in self.updates.values())


def adaptable_modules(pipeline: StableDiffusionPipeline) -> Iterator[tuple[str, nn.Linear | nn.Conv2d]]:
    """The layers of a base that a personal model may change, by name: linear ones, and plain convolutions."""
    for component in ADAPTABLE_COMPONENTS:
        for path, module in getattr(pipeline, component).named_modules():
            if isinstance(module, nn.Linear) or (
                isinstance(module, nn.Conv2d) and module.groups == 1 and module.padding_mode == "zeros"
            ):
                yield f"{component}.{path}", module


def fit_to_base(weights: LoraWeights, weight_shapes: Mapping[str, tuple[int, ...]]) -> LowRankAdapter:
    """Turn checked LoRA weights into an adapter for a base.

    Args:
        weights: what a file held, pairs complete and values finite.
        weight_shapes: the base's layers that may be changed: [out, in] or [out, in, kh, kw] of each, by name.

    Raises:
        WorkerFailure: ArtifactInvalid, naming the first tensor or layer that does not fit.
    """
    halves: dict[str, dict[str, torch.Tensor]] = {}
    for name, tensor in weights.tensors.items():
        layer, half = _parse_tensor_name(name, weight_shapes)
        if half in halves.setdefault(layer, {}):
            raise _invalid(f"tensor {name!r} gives a layer's {half} matrix twice")
        halves[layer][half] = tensor
    return LowRankAdapter(
        {
            layer: _update(layer, pair["down"], pair["up"], weight_shapes[layer], weights.adapter_metadata)
            for layer, pair in halves.items()
        }
    )


def _parse_tensor_name(name: str, weight_shapes: Mapping[str, tuple[int, ...]]) -> tuple[str, str]:
    match = TENSOR_NAME.fullmatch(name)
    assert match is not None, "read_lora_weights has checked the names"
    layer = match["layer"]
    if layer not in weight_shapes and layer.startswith(LEVEL_GONE_WITH_TRANSFORMERS_5):
        layer = f"text_encoder.{layer.removeprefix(LEVEL_GONE_WITH_TRANSFORMERS_5)}"
    if layer not in weight_shapes:
        raise _invalid(f"tensor {name!r} is for a layer that the base model lacks, or that cannot be adapted")
    return layer, "down" if (match["old"] or match["new"] or match["older"]) in DOWN_HALVES else "up"


def _update(
    layer: str,
    down: torch.Tensor,
    up: torch.Tensor,
    weight_shape: tuple[int, ...],
    metadata: Mapping[str, object],
) -> LowRankUpdate:
    rank = down.shape[0]
    out, *rest = weight_shape
    expected = ((rank, *rest), (out, rank, *([1] * (len(rest) - 1))))
    actual = (tuple(down.shape), tuple(up.shape))
    if actual != expected:
        raise _invalid(
            f"layer {layer!r} has matrices {actual[0]} and {actual[1]}, the base needs {expected[0]} and {expected[1]}"
        )
    scaled = up.to(torch.float32) * _scale(layer.partition(".")[0], rank, metadata)
    if not bool(scaled.isfinite().all()):
        raise _invalid(f"layer {layer!r}: alpha makes its values overflow")
    return LowRankUpdate(down, scaled)


def _scale(component: str, rank: int, metadata: Mapping[str, object]) -> float:
    if metadata.get(f"{component}.alpha_pattern"):
        raise _invalid(f"{component}.alpha_pattern is not supported; give all layers one alpha")
    alpha = metadata.get(f"{component}.lora_alpha", rank)
    assert isinstance(alpha, int | float), "read_lora_weights has checked the metadata"
    if alpha / rank > MAX_SCALE:
        raise _invalid(f"{component}.lora_alpha / r is {alpha / rank:g}; at most {MAX_SCALE:g} is accepted")
    return alpha / rank


def _invalid(problem: str) -> WorkerFailure:
    return WorkerFailure("ArtifactInvalid", f"LoRA weights: {problem}")
