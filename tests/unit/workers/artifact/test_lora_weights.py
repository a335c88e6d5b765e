"""Weights that are refused, each for one reason, and the good ones that pass."""

import json
import struct
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from avatar_workers.artifact.lora_weights import read_lora_weights
from avatar_workers.errors import WorkerFailure

LAYER = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
METADATA = {"unet.r": 4, "unet.lora_alpha": 4, "unet.target_modules": ["to_q"]}


def pair(rank: int = 4, dtype: torch.dtype = torch.float16, layer: str = LAYER) -> dict[str, torch.Tensor]:
    return {
        f"{layer}.lora.down.weight": torch.ones(rank, 8, dtype=dtype),
        f"{layer}.lora.up.weight": torch.ones(8, rank, dtype=dtype),
    }


def save(path: Path, tensors: dict[str, torch.Tensor], metadata: object = METADATA) -> Path:
    save_file(tensors, path, {"format": "pt", "lora_adapter_metadata": json.dumps(metadata)})
    return path


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_good_weights_are_read(tmp_path: Path, dtype: torch.dtype) -> None:
    weights = read_lora_weights(save(tmp_path / "w", pair(dtype=dtype)), max_rank=4)
    assert weights.rank == 4
    assert set(weights.tensors) == set(pair())
    assert weights.adapter_metadata == METADATA


def test_a_convolution_is_accepted(tmp_path: Path) -> None:
    layer = "unet.mid_block.resnets.0.conv1"
    tensors = {
        f"{layer}.lora_A.weight": torch.ones(2, 8, 3, 3),
        f"{layer}.lora_B.weight": torch.ones(8, 2, 1, 1),
    }
    assert read_lora_weights(save(tmp_path / "w", tensors), max_rank=4).rank == 2


@pytest.mark.parametrize(
    ("tensors", "problem"),
    [
        ({}, "0 tensors"),
        (pair(rank=5), "has rank 5; 1 to 4 are accepted"),
        (pair(dtype=torch.float64), "of type 'F64'"),
        (pair(dtype=torch.int64), "of type 'I64'"),
        (pair(layer="vae.decoder.conv_in"), "is no LoRA weight"),
        ({"unet.conv_in.weight": torch.ones(2, 2)}, "is no LoRA weight"),
        ({f"{LAYER}.lora.down.weight": torch.ones(4, 8)}, "no matching pair"),
        ({**pair(), f"{LAYER}.lora.up.weight": torch.ones(8, 3)}, "no matching pair"),
        ({**pair(), f"{LAYER}.lora.up.weight": torch.full((8, 4), float("nan"))}, "not finite"),
        ({**pair(), f"{LAYER}.lora.up.weight": torch.full((8, 4), float("inf"))}, "not finite"),
        ({**pair(), f"{LAYER}.lora.up.weight": torch.ones(8)}, "is no LoRA weight"),
    ],
)
def test_bad_tensors_are_refused(tmp_path: Path, tensors: dict[str, torch.Tensor], problem: str) -> None:
    with pytest.raises(WorkerFailure, match=problem) as caught:
        read_lora_weights(save(tmp_path / "w", tensors), max_rank=4)
    assert caught.value.code == "ArtifactInvalid"


@pytest.mark.parametrize(
    "metadata",
    [
        {**METADATA, "unet.auto_mapping": {"parent_library": "os"}},
        {**METADATA, "unet.lora_alpha": 1e9},
        {**METADATA, "unet.lora_alpha": float("nan")},
        {**METADATA, "unet.r": 512},
        {**METADATA, "vae.r": 4},
        {**METADATA, "unet.target_modules": "all-linear"},
        [],
    ],
)
def test_metadata_that_is_not_known_to_be_harmless_is_refused(tmp_path: Path, metadata: object) -> None:
    with pytest.raises(WorkerFailure, match="lora_adapter_metadata"):
        read_lora_weights(save(tmp_path / "w", pair(), metadata), max_rank=4)


def test_weights_without_metadata_are_refused_since_alpha_is_unknown(tmp_path: Path) -> None:
    save_file(pair(), tmp_path / "w")
    with pytest.raises(WorkerFailure, match="alpha is unknown"):
        read_lora_weights(tmp_path / "w", max_rank=4)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04",
        struct.pack("<Q", 1 << 60) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 2) + b"{}x",
        struct.pack("<Q", 20_000) + b"[" * 20_000,
    ],
)
def test_a_file_that_is_no_safetensors_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w").write_bytes(content)
    with pytest.raises(WorkerFailure) as caught:
        read_lora_weights(tmp_path / "w", max_rank=4)
    assert caught.value.code == "ArtifactInvalid"


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=8), st.floats(0, 1)
)
def test_a_damaged_file_is_read_or_refused_but_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]], share: float
) -> None:
    path = save(tmp_path_factory.mktemp("damaged") / "w", pair())
    content = bytearray(path.read_bytes())
    for position, value in flips:
        content[position % len(content)] = value
    path.write_bytes(content[: int(len(content) * share)] if share < 0.5 else content)
    try:
        weights = read_lora_weights(path, max_rank=4)
    except WorkerFailure as failure:
        assert failure.code == "ArtifactInvalid"
    else:
        assert all(bool(tensor.isfinite().all()) for tensor in weights.tensors.values())
