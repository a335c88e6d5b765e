"""The engine against diffusers' own LoRA loader, and what it promises about isolation."""

from __future__ import annotations

import copy
import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from avatar_api.documents.artifact import WEIGHTS_NAME
from avatar_api.documents.inference import InferenceRequest
from avatar_workers.base_model.pipeline import BaseModel
from avatar_workers.errors import WorkerFailure
from avatar_workers.serving.engine import DrawingAbandoned
from avatar_workers.serving.hooked_engine import SCHEDULERS, HookedEngine
from avatar_workers.serving.low_rank_adapter import LowRankAdapter, LowRankUpdate

ReadAdapter = Callable[[Path], LowRankAdapter]
Document = Callable[..., dict[str, Any]]


def draw(engine: HookedEngine, name: str | None, document: dict[str, Any]) -> list[np.ndarray[Any, Any]]:
    request = InferenceRequest.model_validate(document)
    images = engine.draw(name, request.pictures, request, lambda: False)
    return [np.asarray(image) for image in images]


def same(ours: list[np.ndarray[Any, Any]], theirs: list[np.ndarray[Any, Any]]) -> bool:
    return len(ours) == len(theirs) and all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize(
    ("unet_targets", "text_targets", "alpha"),
    [
        (("to_q", "to_k", "to_v", "to_out.0"), (), 4),
        (("to_q", "to_v"), ("q_proj", "v_proj"), 2),
        (("conv1", "proj_in"), (), 8),
    ],
    ids=["attention", "with text encoder", "convolutions"],
)
def test_a_personal_model_draws_what_diffusers_own_loader_draws(
    base: BaseModel,
    engine: HookedEngine,
    write_artifact: Any,
    read_adapter: ReadAdapter,
    request_document: Document,
    unet_targets: tuple[str, ...],
    text_targets: tuple[str, ...],
    alpha: int,
) -> None:
    directory = write_artifact(unet_targets=unet_targets, text_targets=text_targets, alpha=alpha)
    engine.load("ann", read_adapter(directory))
    document = request_document(2, numInferenceSteps=3)
    reference: Any = StableDiffusionPipeline(
        **copy.deepcopy(base.pipeline.components), requires_safety_checker=False
    )
    reference.set_progress_bar_config(disable=True)
    reference.load_lora_weights(directory, weight_name=WEIGHTS_NAME, use_safetensors=True)
    request = InferenceRequest.model_validate(document)
    expected = reference(
        prompt=[picture.prompt for picture in request.pictures],
        negative_prompt=["", ""],
        generator=[torch.Generator().manual_seed(picture.seed) for picture in request.pictures],
        num_inference_steps=3,
        guidance_scale=4.0,
        width=64,
        height=64,
    ).images

    for ours, theirs in zip(draw(engine, "ann", document), expected, strict=True):
        assert np.abs(ours.astype(int) - np.asarray(theirs).astype(int)).max() <= 1
    assert not same(draw(engine, "ann", document), draw(engine, None, document))


def test_the_base_draws_the_same_before_during_and_after_a_personal_model(
    engine: HookedEngine, write_artifact: Any, read_adapter: ReadAdapter, request_document: Document
) -> None:
    before = draw(engine, None, request_document())
    engine.load("ann", read_adapter(write_artifact()))
    draw(engine, "ann", request_document())
    during = draw(engine, None, request_document())
    engine.unload("ann")

    assert same(before, during)
    assert same(before, draw(engine, None, request_document()))


def test_a_tenants_pictures_do_not_change_when_another_comes_draws_and_goes(
    engine: HookedEngine, write_artifact: Any, read_adapter: ReadAdapter, request_document: Document
) -> None:
    engine.load("user1", read_adapter(write_artifact("uid-1")))
    alone = draw(engine, "user1", request_document())
    engine.load("user10", read_adapter(write_artifact("uid-10")))
    other = draw(engine, "user10", request_document())
    together = draw(engine, "user1", request_document())
    engine.unload("user10")

    assert not same(alone, other)
    assert same(alone, together)
    assert same(alone, draw(engine, "user1", request_document()))


def test_a_picture_does_not_depend_on_its_neighbours_in_the_batch(
    engine: HookedEngine, write_artifact: Any, read_adapter: ReadAdapter, request_document: Document
) -> None:
    engine.load("ann", read_adapter(write_artifact()))
    batch = request_document(4, numInferenceSteps=4)
    together = draw(engine, "ann", batch)

    for entry, picture in zip(batch["pictures"], together, strict=True):
        [alone] = draw(engine, "ann", batch | {"pictures": [entry]})
        # Kernels for another batch size sum in another order: a last bit may differ, a picture may not.
        assert np.abs(alone.astype(int) - picture.astype(int)).max() <= 1
    assert not np.array_equal(together[0], together[1])


def test_the_seed_decides_the_picture(engine: HookedEngine, request_document: Document) -> None:
    document = request_document()
    other_seed = request_document()
    other_seed["pictures"][0]["seed"] += 1

    assert same(draw(engine, None, document), draw(engine, None, document))
    assert not same(draw(engine, None, document), draw(engine, None, other_seed))


def test_the_negative_prompt_is_heard(engine: HookedEngine, request_document: Document) -> None:
    document = request_document()
    document["pictures"][0]["negativePrompt"] = "hat"

    assert not same(draw(engine, None, document), draw(engine, None, request_document()))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    scheduler=st.sampled_from(sorted(SCHEDULERS)),
    steps=st.integers(1, 5),
    guidance=st.floats(0, 50),
    width=st.integers(8, 13).map(lambda n: 8 * n),
    height=st.integers(8, 13).map(lambda n: 8 * n),
    count=st.integers(1, 2),
)
def test_every_allowed_setting_draws_pictures_of_the_size_asked_for(
    engine: HookedEngine,
    request_document: Document,
    scheduler: str,
    steps: int,
    guidance: float,
    width: int,
    height: int,
    count: int,
) -> None:
    pictures = draw(
        engine,
        None,
        request_document(
            count,
            scheduler=scheduler,
            numInferenceSteps=steps,
            guidanceScale=guidance,
            width=width,
            height=height,
        ),
    )

    assert [picture.shape for picture in pictures] == [(height, width, 3)] * count


def test_schedulers_differ_and_leave_no_trace(engine: HookedEngine, request_document: Document) -> None:
    first = draw(engine, None, request_document(numInferenceSteps=4))
    others = [
        draw(engine, None, request_document(numInferenceSteps=4, scheduler=name))
        for name in SCHEDULERS
        if name != "DDIM"
    ]

    assert not any(same(first, other) for other in others)
    assert same(first, draw(engine, None, request_document(numInferenceSteps=4)))


def test_an_abandoned_drawing_stops_at_the_next_step_and_leaves_the_base_clean(
    engine: HookedEngine, write_artifact: Any, read_adapter: ReadAdapter, request_document: Document
) -> None:
    before = draw(engine, None, request_document())
    engine.load("ann", read_adapter(write_artifact()))
    request = InferenceRequest.model_validate(request_document(numInferenceSteps=50))
    answers = iter([False, False, True])

    with pytest.raises(DrawingAbandoned):
        engine.draw("ann", request.pictures, request, lambda: next(answers))

    assert next(answers, None) is None
    assert same(before, draw(engine, None, request_document()))


def test_a_model_that_diverged_is_reported_and_draws_no_black_pictures(
    engine: HookedEngine, write_artifact: Any, read_adapter: ReadAdapter, request_document: Document
) -> None:
    adapter = read_adapter(write_artifact())
    engine.load(
        "ann",
        LowRankAdapter(
            {
                name: LowRankUpdate(update.down * 1e30, update.up * 1e30)
                for name, update in adapter.updates.items()
            }
        ),
    )

    with pytest.raises(WorkerFailure, match="diverged") as failure:
        draw(engine, "ann", request_document())

    assert failure.value.code == "ArtifactInvalid"


def test_unloading_frees_exactly_the_bytes_that_loading_took(
    engine: HookedEngine, write_artifact: Any, read_adapter: ReadAdapter
) -> None:
    adapter = read_adapter(write_artifact())
    gc.collect()
    gc.freeze()  # what lives now is not seen by get_objects below
    try:
        engine.load("ann", adapter)
        loaded = _new_tensor_bytes()
        engine.unload("ann")
        left = _new_tensor_bytes()
    finally:
        gc.unfreeze()

    assert (loaded, left) == (engine.resident_bytes(adapter), 0)


def _new_tensor_bytes() -> int:
    gc.collect()
    return sum(
        tensor.untyped_storage().nbytes()
        for tensor in gc.get_objects()
        if issubclass(type(tensor), torch.Tensor)
    )


def test_pictures_are_rgb_images(engine: HookedEngine, request_document: Document) -> None:
    request = InferenceRequest.model_validate(request_document())

    [image] = engine.draw(None, request.pictures, request, lambda: False)

    assert isinstance(image, Image.Image)
    assert image.mode == "RGB"


def test_a_prompt_that_is_too_long_is_cut_without_being_logged(
    engine: HookedEngine, request_document: Document, caplog: pytest.LogCaptureFixture
) -> None:
    document = request_document()
    document["pictures"][0]["prompt"] = "word " * 100 + "secret"

    draw(engine, None, document)

    assert "secret" not in caplog.text
