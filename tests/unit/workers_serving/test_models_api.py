"""Loading, listing and unloading personal models through the multi-model contract."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from prometheus_client.parser import text_string_to_metric_families
from safetensors.torch import load_file, save_file

from avatar_api.documents.artifact import MANIFEST_NAME, WEIGHTS_NAME

Document = Callable[..., dict[str, Any]]


async def test_a_loaded_model_is_listed_described_and_gone_after_unloading(
    running: Any, write_artifact: Any
) -> None:
    directory = write_artifact()
    description = {"modelName": "hash1", "modelUrl": str(directory)}

    loaded = await running.load(directory, "hash1")
    assert (loaded.status_code, loaded.json()) == (200, description)
    assert (await running.http.get("/models")).json() == {"models": [description]}
    assert (await running.http.get("/models/hash1")).json() == description

    assert (await running.http.delete("/models/hash1")).status_code == 200
    assert (await running.http.get("/models")).json() == {"models": []}
    assert (await running.http.get("/models/hash1")).status_code == 404
    assert (await running.http.delete("/models/hash1")).status_code == 404


async def test_loading_a_loaded_model_again_answers_409(running: Any, write_artifact: Any) -> None:
    directory = write_artifact()
    await running.load(directory)

    again = await running.load(directory)

    assert (again.status_code, again.json()["code"]) == (409, "ModelAlreadyLoaded")


async def test_two_loads_of_one_model_at_once_load_it_once(running: Any, write_artifact: Any) -> None:
    directory = write_artifact()

    answers = await asyncio.gather(*(running.load(directory) for _ in range(3)))

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]


async def test_a_model_can_be_loaded_again_after_unloading(running: Any, write_artifact: Any) -> None:
    directory = write_artifact()
    await running.load(directory)
    await running.http.delete(f"/models/{directory.name}")

    assert (await running.load(directory)).status_code == 200


async def test_beyond_the_count_answers_507_until_one_is_unloaded(
    run_container: Any, write_artifact: Any
) -> None:
    async with run_container(max_adapters=1) as running:
        await running.load(write_artifact("uid-1"))
        full = await running.load(write_artifact("uid-2"))
        await running.http.delete("/models/uid-1")
        after = await running.load(write_artifact("uid-2"))

    assert (full.status_code, full.json()["code"], full.json()["retryable"]) == (
        507,
        "InsufficientMemory",
        True,
    )
    assert after.status_code == 200


async def test_beyond_the_byte_budget_answers_507_before_anything_is_allocated(
    run_container: Any, write_artifact: Any, read_adapter: Any
) -> None:
    first, second = write_artifact("uid-1"), write_artifact("uid-2")
    size = read_adapter(first).element_count * 4
    async with run_container(adapter_budget_bytes=2 * size - 1) as running:
        await running.load(first)
        full = await running.load(second)
        resident_bytes = _metrics(await running.http.get("/metrics"))["avatar_serving_adapter_bytes"]
        await running.http.delete("/models/uid-1")
        after = await running.load(second)

    assert (full.status_code, resident_bytes) == (507, size)
    assert after.status_code == 200


async def test_a_model_that_can_never_fit_is_refused_for_good(
    run_container: Any, write_artifact: Any
) -> None:
    async with run_container(adapter_budget_bytes=1000) as running:
        answer = await running.load(write_artifact())

    assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (
        422,
        "ArtifactInvalid",
        False,
    )


async def test_a_broken_model_is_refused_as_broken_even_when_there_is_no_room(
    run_container: Any, write_artifact: Any
) -> None:
    async with run_container(max_adapters=1) as running:
        await running.load(write_artifact("uid-1"))
        broken = write_artifact("uid-2")
        (broken / WEIGHTS_NAME).write_bytes(b"")
        answer = await running.load(broken)

    assert answer.status_code == 422


async def test_lists_are_paged_in_the_order_of_names(running: Any, write_artifact: Any) -> None:
    directory = write_artifact()
    for name in ("c", "a", "e", "b", "d"):
        assert (await running.load(directory, name)).status_code == 200

    names, token = [], ""
    while token is not None:
        page = (await running.http.get("/models", params={"limit": 2, "next_page_token": token})).json()
        assert len(page["models"]) <= 2
        names += [model["modelName"] for model in page["models"]]
        token = page.get("nextPageToken")

    assert names == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("limit", ["0", "-1", "x", "9" * 30, "²"])
async def test_a_page_limit_that_is_no_count_is_refused(running: Any, limit: str) -> None:
    answer = await running.http.get("/models", params={"limit": limit})

    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidRequest")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"model_name": "a"}',
        b'{"model_name": "../a", "url": "/x"}',
        b'{"model_name": "a", "url": "relative"}',
        b'{"model_name": "a", "url": "/x\\u0000y"}',
        b'{"model_name": "' + b"a" * 300 + b'", "url": "/x"}',
    ],
)
async def test_a_load_request_that_is_malformed_is_refused(running: Any, body: bytes) -> None:
    answer = await running.http.post("/models", content=body)

    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidRequest")


def _edit_manifest(directory: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    path = directory / MANIFEST_NAME
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))


def _edit_weights(directory: Path, edit: Callable[[dict[str, torch.Tensor]], None]) -> None:
    path = directory / WEIGHTS_NAME
    tensors = load_file(path)
    edit(tensors)
    metadata = {"lora_adapter_metadata": '{"unet.r": 4, "unet.lora_alpha": 4}'}
    save_file(tensors, path, metadata=metadata)


def _flip_last_bit(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def _replace_by_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _replace_by_link(path: Path) -> None:
    elsewhere = path.rename(path.with_name("elsewhere"))
    path.symlink_to(elsewhere)


def _set_rank(tensors: dict[str, torch.Tensor], rank: int) -> None:
    tensors.clear()
    layer = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.lora"
    tensors[f"{layer}.down.weight"] = torch.ones(rank, 32)
    tensors[f"{layer}.up.weight"] = torch.ones(32, rank)


def _drop_one(tensors: dict[str, torch.Tensor]) -> None:
    del tensors[next(iter(tensors))]


def _set(tensors: dict[str, torch.Tensor], change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    name = next(iter(tensors))
    tensors[name] = change(tensors[name]).contiguous()


CORRUPTIONS_THE_MANIFEST_TELLS: dict[str, Callable[[Path], object]] = {
    "no manifest": lambda d: (d / MANIFEST_NAME).unlink(),
    "manifest is no JSON": lambda d: (d / MANIFEST_NAME).write_text("{"),
    "manifest of another version": lambda d: _edit_manifest(d, lambda m: m.update(schemaVersion="v9")),
    "manifest without a model": lambda d: _edit_manifest(d, lambda m: m.pop("model")),
    "manifest is a directory": lambda d: _replace_by_directory(d / MANIFEST_NAME),
    "manifest is a link": lambda d: _replace_by_link(d / MANIFEST_NAME),
    "manifest names another file": lambda d: _edit_manifest(
        d, lambda m: m["files"][0].update(path="../../etc/passwd")
    ),
    "no weights": lambda d: (d / WEIGHTS_NAME).unlink(),
    "weights cut off": lambda d: (d / WEIGHTS_NAME).write_bytes((d / WEIGHTS_NAME).read_bytes()[:-4]),
    "one bit flipped": lambda d: (d / WEIGHTS_NAME).write_bytes(
        _flip_last_bit((d / WEIGHTS_NAME).read_bytes())
    ),
    "weights are a link": lambda d: _replace_by_link(d / WEIGHTS_NAME),
}

CORRUPTIONS_WITH_A_TRUE_MANIFEST: dict[str, Callable[[Path], object]] = {
    "weights are empty": lambda d: (d / WEIGHTS_NAME).write_bytes(b""),
    "weights are a pickle": lambda d: torch.save({"a": torch.ones(2)}, d / WEIGHTS_NAME),
    "header claims to be huge": lambda d: (d / WEIGHTS_NAME).write_bytes(b"\xff" * 8 + b"{}"),
    "no tensor": lambda d: _edit_weights(d, lambda t: t.clear()),
    "not a number": lambda d: _edit_weights(d, lambda t: _set(t, lambda x: x * float("nan"))),
    "infinite": lambda d: _edit_weights(d, lambda t: _set(t, lambda x: x + float("inf"))),
    "float64": lambda d: _edit_weights(d, lambda t: _set(t, lambda x: x.double())),
    "integers": lambda d: _edit_weights(d, lambda t: _set(t, lambda x: x.int())),
    "a matrix transposed": lambda d: _edit_weights(d, lambda t: _set(t, lambda x: x.T)),
    "half a pair": lambda d: _edit_weights(d, _drop_one),
    "a tensor of another kind": lambda d: _edit_weights(d, lambda t: t.update({"vae.x": torch.ones(2)})),
    "a layer the base lacks": lambda d: _edit_weights(
        d,
        lambda t: t.update(
            {
                "unet.nowhere.to_q.lora.down.weight": torch.ones(4, 32),
                "unet.nowhere.to_q.lora.up.weight": torch.ones(32, 4),
            }
        ),
    ),
    "a rank beyond the limit": lambda d: _edit_weights(d, lambda t: _set_rank(t, 257)),
}


async def _assert_refused_without_a_trace(running: Any, directory: Path) -> None:
    answer = await running.load(directory)

    assert (answer.status_code, answer.json()["code"]) == (422, "ArtifactInvalid"), answer.text
    assert answer.json()["retryable"] is False
    assert (await running.http.get("/models")).json() == {"models": []}


@pytest.mark.parametrize("corruption", CORRUPTIONS_THE_MANIFEST_TELLS)
async def test_an_artifact_that_contradicts_its_manifest_is_refused(
    running: Any, write_artifact: Any, corruption: str
) -> None:
    directory = write_artifact()
    CORRUPTIONS_THE_MANIFEST_TELLS[corruption](directory)

    await _assert_refused_without_a_trace(running, directory)


@pytest.mark.parametrize("corruption", CORRUPTIONS_WITH_A_TRUE_MANIFEST)
async def test_evil_weights_with_a_true_manifest_are_refused(
    running: Any, write_artifact: Any, rewrite_manifest: Any, corruption: str
) -> None:
    directory = write_artifact()
    CORRUPTIONS_WITH_A_TRUE_MANIFEST[corruption](directory)
    rewrite_manifest(directory)

    await _assert_refused_without_a_trace(running, directory)


async def test_a_directory_that_is_not_there_is_refused(running: Any, tmp_path: Path) -> None:
    await _assert_refused_without_a_trace(running, tmp_path / "nowhere")


async def test_a_model_of_another_base_is_refused_and_not_as_already_loaded(
    running: Any, write_artifact: Any
) -> None:
    directory = write_artifact()
    _edit_manifest(directory, lambda m: m["baseModel"].update(sha256="0" * 64))

    answer = await running.load(directory)

    assert (answer.status_code, answer.json()["code"]) == (422, "BaseModelMismatch")


async def test_probes_and_lists_are_answered_while_a_picture_is_drawn(
    running: Any, write_artifact: Any, request_document: Document
) -> None:
    running.engine.go_on.clear()
    drawing = asyncio.create_task(running.http.post("/invocations", json=request_document()))
    await asyncio.to_thread(running.engine.drawing.wait, 60)

    ping = await running.http.get("/ping")
    models = await running.http.get("/models")
    load = await running.load(write_artifact())
    still_drawing = not drawing.done()
    running.engine.go_on.set()

    assert (ping.status_code, models.status_code, load.status_code) == (200, 200, 200)
    assert still_drawing
    assert (await drawing).status_code == 200


async def test_unloading_waits_for_the_drawing_that_uses_the_model(
    running: Any, write_artifact: Any, request_document: Document
) -> None:
    await running.load(write_artifact())
    running.engine.go_on.clear()
    drawing = asyncio.create_task(running.http.post("/models/uid-1/invoke", json=request_document()))
    await asyncio.to_thread(running.engine.drawing.wait, 60)

    unloading = asyncio.create_task(running.http.delete("/models/uid-1"))
    async with asyncio.timeout(60):
        while (await running.http.get("/models/uid-1")).status_code == 200:  # noqa: ASYNC110 (no event tells)
            await asyncio.sleep(0.01)
    late = await running.http.post("/models/uid-1/invoke", json=request_document())
    reload = await running.load(write_artifact())
    waited = not unloading.done()
    running.engine.go_on.set()

    assert waited
    assert (late.status_code, reload.status_code) == (404, 503)
    assert (await drawing).status_code == 200
    assert (await unloading).status_code == 200
    assert (await running.load(write_artifact())).status_code == 200


async def test_metrics_count_and_name_nobody(
    running: Any, write_artifact: Any, request_document: Document
) -> None:
    directory = write_artifact("uid-of-ann")
    await running.load(directory)
    await running.load(directory)
    await running.http.post("/models/uid-of-ann/invoke", json=request_document(2))
    await running.http.post("/invocations", json=request_document())
    await running.http.delete("/models/uid-of-ann")

    answer = await running.http.get("/metrics")
    samples = _metrics(answer)

    assert samples["avatar_serving_adapter_loads_total", "Loaded"] == 1
    assert samples["avatar_serving_adapter_loads_total", "ModelAlreadyLoaded"] == 1
    assert samples["avatar_serving_adapter_evictions_total"] == 1
    assert samples["avatar_serving_adapters"] == 0
    assert samples["avatar_serving_pictures_total", "personal"] == 2
    assert samples["avatar_serving_pictures_total", "base"] == 1
    assert samples["avatar_serving_draw_seconds_count"] == 2
    assert "uid-of-ann" not in answer.text
    assert "team-a" not in answer.text


def _metrics(answer: Any) -> dict[Any, float]:
    return {
        (sample.name, *sample.labels.values()) if sample.labels else sample.name: sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
