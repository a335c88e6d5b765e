"""What a LoRA file must be to fit a base."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from avatar_workers.artifact.lora_weights import LoraWeights
from avatar_workers.errors import WorkerFailure
from avatar_workers.serving.hooked_engine import HookedEngine
from avatar_workers.serving.low_rank_adapter import fit_to_base

SHAPES = {"unet.a.to_q": (6, 5), "unet.conv": (6, 5, 3, 3), "text_encoder.encoder.q_proj": (6, 5)}


def weights(tensors: dict[str, torch.Tensor], **metadata: object) -> LoraWeights:
    named = {f"{name}.weight": tensor for name, tensor in tensors.items()}
    return LoraWeights(named, {f"unet.{name}": value for name, value in metadata.items()}, 2)


def pair(layer: str, *, out: int = 6, inputs: int = 5) -> dict[str, torch.Tensor]:
    return {f"{layer}.lora.down": torch.ones(2, inputs), f"{layer}.lora.up": torch.ones(out, 2)}


def test_alpha_over_rank_is_multiplied_into_the_up_matrix() -> None:
    adapter = fit_to_base(weights(pair("unet.a.to_q"), lora_alpha=8), SHAPES)

    assert torch.equal(adapter.updates["unet.a.to_q"].up, torch.full((6, 2), 4.0))
    assert torch.equal(adapter.updates["unet.a.to_q"].down, torch.ones(2, 5))


def test_without_alpha_the_matrices_are_taken_as_they_are() -> None:
    adapter = fit_to_base(weights(pair("unet.a.to_q")), SHAPES)

    assert torch.equal(adapter.updates["unet.a.to_q"].up, torch.ones(6, 2))


def test_names_from_before_transformers_5_still_fit() -> None:
    adapter = fit_to_base(weights(pair("text_encoder.text_model.encoder.q_proj")), SHAPES)

    assert list(adapter.updates) == ["text_encoder.encoder.q_proj"]


@pytest.mark.parametrize(
    ("lora", "problem"),
    [
        (lambda: weights(pair("unet.b.to_q")), "layer that the base model lacks"),
        (lambda: weights(pair("unet.a.to_q", inputs=4)), r"matrices \(2, 4\) and \(6, 2\)"),
        (lambda: weights(pair("unet.a.to_q", out=7)), r"the base needs \(2, 5\) and \(6, 2\)"),
        (lambda: weights(pair("unet.conv")), r"the base needs \(2, 5, 3, 3\) and \(6, 2, 1, 1\)"),
        (lambda: weights(pair("unet.a.to_q"), alpha_pattern={"to_q": 3}), "alpha_pattern"),
        (lambda: weights(pair("unet.a.to_q"), lora_alpha=65536), "lora_alpha / r is 32768"),
        (
            lambda: weights(
                {
                    "unet.a.to_q.lora.down": torch.ones(2, 5),
                    "unet.a.to_q.lora.up": torch.full((6, 2), 3e38),
                },
                lora_alpha=8,
            ),
            "overflow",
        ),
        (
            lambda: weights(
                pair("text_encoder.encoder.q_proj") | pair("text_encoder.text_model.encoder.q_proj")
            ),
            "twice",
        ),
    ],
)
def test_weights_that_do_not_fit_the_base_are_refused(lora: Callable[[], LoraWeights], problem: str) -> None:
    with pytest.raises(WorkerFailure, match=problem) as failure:
        fit_to_base(lora(), SHAPES)

    assert failure.value.code == "ArtifactInvalid"


def test_attention_and_text_layers_of_a_base_can_be_adapted(engine: HookedEngine) -> None:
    shapes = engine.weight_shapes

    assert shapes["text_encoder.encoder.layers.0.self_attn.q_proj"] == (32, 32)
    assert any(name.endswith("attn2.to_out.0") for name in shapes)
    assert not any(name.startswith("vae.") for name in shapes)
