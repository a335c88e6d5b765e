"""Check LoRA weights before anything of them reaches a shared base.

Names must be LoRA pairs of a UNet or text encoder in diffusers' spelling, both halves of a pair must agree on a rank
within the cap, and every number must be finite. The adapter's metadata (rank, alpha, targets; diffusers writes it to
the header so that alpha survives) becomes arguments of peft's LoraConfig on loading: only those known to be harmless
are accepted.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from diffusers.loaders.lora_base import LORA_ADAPTER_METADATA_KEY
from safetensors.torch import load_file

from avatar_workers.artifact.safetensors_header import TensorEntry, read_safetensors_header
from avatar_workers.errors import WorkerFailure

if TYPE_CHECKING:
    import torch

TENSOR_NAME = re.compile(
    r"(?P<layer>(unet|text_encoder)(\.\w+){1,16})\.(lora\.(?P<old>down|up)|lora_(?P<new>A|B)|lora_linear_layer\.(?P<older>down|up))\.weight"
)
DOWN_HALVES = frozenset({"down", "A"})
MAX_TENSORS = 8192
METADATA_NAMES = frozenset({"r", "lora_alpha", "target_modules", "rank_pattern", "alpha_pattern"})


@dataclass(frozen=True)
class LoraWeights:
    """Checked weights.

    Attributes:
        tensors: on the CPU, as they lie in the file, by diffusers' names.
        adapter_metadata: `unet.r`, `unet.lora_alpha`, ... as diffusers' loader wants it.
        rank: the largest rank of any layer.
    """

    tensors: "dict[str, torch.Tensor]"
    adapter_metadata: dict[str, object]
    rank: int


def read_lora_weights(path: Path, *, max_rank: int) -> LoraWeights:
    """Load a safetensors file of LoRA weights, after checking everything that can be checked without a base.

    Args:
        path: a local file; its size has been bounded by whoever put it there.
        max_rank: refuse layers of a larger rank.

    Raises:
        WorkerFailure: ArtifactInvalid, naming the tensor and the fault.
    """
    header = read_safetensors_header(path)
    rank = _check_pairs(header.tensors, max_rank)
    adapter_metadata = _check_metadata(header.metadata.get(LORA_ADAPTER_METADATA_KEY), max_rank)
    tensors: dict[str, torch.Tensor] = load_file(path)
    for name, tensor in tensors.items():
        if not bool(tensor.isfinite().all()):
            raise _invalid(f"tensor {name!r} holds numbers that are not finite")
    return LoraWeights(tensors, adapter_metadata, rank)


def _check_pairs(entries: Mapping[str, TensorEntry], max_rank: int) -> int:
    if not 0 < len(entries) <= MAX_TENSORS:
        raise _invalid(f"{len(entries)} tensors; between 1 and {MAX_TENSORS} are accepted")
    down: dict[str, int] = {}
    up: dict[str, int] = {}
    for name, entry in entries.items():
        match = TENSOR_NAME.fullmatch(name)
        if match is None or len(entry.shape) not in (2, 4):
            raise _invalid(f"tensor {name[:128]!r} is no LoRA weight of a UNet or text encoder")
        is_down = (match["old"] or match["new"] or match["older"]) in DOWN_HALVES
        (down if is_down else up)[match["layer"]] = entry.shape[0] if is_down else entry.shape[1]
    for layer in down.keys() | up.keys():
        if down.get(layer) != up.get(layer):
            raise _invalid(f"layer {layer[:128]!r} has no matching pair of down and up weights")
        if not 1 <= down[layer] <= max_rank:
            raise _invalid(f"layer {layer[:128]!r} has rank {down[layer]}; 1 to {max_rank} are accepted")
    return max(down.values())


def _check_metadata(text: str | None, max_rank: int) -> dict[str, object]:
    try:
        metadata = json.loads(text or "")
    except (ValueError, RecursionError) as error:
        raise _invalid(f"the header lacks {LORA_ADAPTER_METADATA_KEY}, so alpha is unknown") from error
    if not isinstance(metadata, dict):
        raise _invalid(f"{LORA_ADAPTER_METADATA_KEY} in the header is no JSON object")
    for key, value in metadata.items():
        part, _, name = key.partition(".")
        if (
            part not in ("unet", "text_encoder")
            or name not in METADATA_NAMES
            or not _plausible(name, value, max_rank)
        ):
            raise _invalid(f"{LORA_ADAPTER_METADATA_KEY} in the header: {key[:64]!r} is not acceptable")
    return metadata


def _plausible(name: str, value: object, max_rank: int) -> bool:
    if name == "target_modules":
        return isinstance(value, list) and all(isinstance(v, str) and len(v) <= 256 for v in value)
    if name == "r":
        return type(value) is int and 1 <= value <= max_rank
    if name == "lora_alpha":
        return _positive(value)
    return isinstance(value, dict) and all(_positive(v) for v in value.values())


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and 0 < value <= 65536


def _invalid(problem: str) -> WorkerFailure:
    return WorkerFailure("ArtifactInvalid", f"LoRA weights: {problem}")
