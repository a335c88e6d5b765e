"""A real, tiny Stable Diffusion base with random weights, real LoRA files for it, and the serving container around it."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import boto3
import httpx
import pytest
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.utils.state_dict_utils import convert_state_dict_to_diffusers
from moto.server import ThreadedMotoServer
from peft import LoraConfig, get_peft_model_state_dict
from PIL import Image
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from avatar_api.documents.artifact import MANIFEST_NAME, WEIGHTS_NAME, ArtifactFile, ArtifactManifest
from avatar_api.documents.inference import InferenceRequest, PictureRequest
from avatar_api.documents.training import (
    BaseModelReference,
    ObjectIdentity,
    PriorPreservationSettings,
    SubjectWords,
    TrainingSettings,
)
from avatar_workers.artifact.lora_weights import read_lora_weights
from avatar_workers.base_model.directory_digest import directory_digest
from avatar_workers.base_model.pipeline import BaseModel, load_base_model
from avatar_workers.serving.container import ServingContainer
from avatar_workers.serving.hooked_engine import HookedEngine
from avatar_workers.serving.low_rank_adapter import LowRankAdapter, fit_to_base
from avatar_workers.serving.settings import ServingSettings
from avatar_workers.storage import S3ObjectStorage

BUCKET = "pictures"
UNET_TARGETS = ("to_q", "to_k", "to_v", "to_out.0")


@pytest.fixture(scope="session", autouse=True)
def _one_torch_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def base_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved pipeline: half a megabyte, pictures of latents times eight."""
    torch.manual_seed(0)
    alphabet = [chr(code) for code in range(ord("!"), ord("~") + 1)]
    tokens = [*alphabet, *(f"{letter}</w>" for letter in alphabet), "<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer(
        vocab={token: index for index, token in enumerate(tokens)}, merges=[], model_max_length=24
    )
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokens),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=24,
            bos_token_id=len(tokens) - 2,
            eos_token_id=len(tokens) - 1,
            pad_token_id=len(tokens) - 1,
        )
    )
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(16, 32),
        layers_per_block=1,
        cross_attention_dim=32,
        attention_head_dim=4,
        norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )
    vae = AutoencoderKL(
        block_out_channels=(8, 8, 8, 16),
        norm_num_groups=4,
        layers_per_block=1,
        latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
    )
    scheduler = DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
    directory = tmp_path_factory.mktemp("base")
    pipeline: Any = StableDiffusionPipeline(
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def base_sha256(base_directory: Path) -> str:
    """Digest of the base."""
    return directory_digest(base_directory)


@pytest.fixture(scope="session")
def base(base_directory: Path, base_sha256: str) -> BaseModel:
    """The base as the worker loads it."""
    return load_base_model(
        base_directory, sha256=base_sha256, source="s3://models/base/", device=torch.device("cpu")
    )


@pytest.fixture
def engine(base: BaseModel) -> HookedEngine:
    """An engine with no adapter."""
    return HookedEngine(base)


class WriteArtifact(Protocol):
    """Train nothing, but save what a training would: random LoRA weights through diffusers, and a manifest."""

    def __call__(
        self,
        uid: str = "uid-1",
        *,
        rank: int = 4,
        alpha: int = 4,
        unet_targets: Sequence[str] = UNET_TARGETS,
        text_targets: Sequence[str] = (),
    ) -> Path: ...


@pytest.fixture
def write_artifact(base: BaseModel, base_sha256: str, tmp_path: Path) -> WriteArtifact:
    """See WriteArtifact. The weights follow from the uid alone."""

    def write(
        uid: str = "uid-1",
        *,
        rank: int = 4,
        alpha: int = 4,
        unet_targets: Sequence[str] = UNET_TARGETS,
        text_targets: Sequence[str] = (),
    ) -> Path:
        directory = tmp_path / "artifacts" / uid
        generator = torch.Generator().manual_seed(int.from_bytes(hashlib.sha256(uid.encode()).digest()[:4]))
        layers: dict[str, Any] = {}
        for component, targets in (("unet", unet_targets), ("text_encoder", text_targets)):
            if not targets:
                continue
            module = copy.deepcopy(getattr(base.pipeline, component))
            module.add_adapter(LoraConfig(r=rank, lora_alpha=alpha, target_modules=list(targets)))
            state = {
                name: torch.randn(tensor.shape, generator=generator) * 0.3
                for name, tensor in get_peft_model_state_dict(module).items()
            }
            layers[f"{component}_lora_layers"] = convert_state_dict_to_diffusers(state)
            layers[f"{component}_lora_adapter_metadata"] = {
                "r": rank,
                "lora_alpha": alpha,
                "target_modules": list(targets),
            }
        StableDiffusionPipeline.save_lora_weights(directory, **layers)
        write_manifest(directory, uid, base_sha256)
        return directory

    return write


def write_manifest(directory: Path, uid: str, base_sha256: str) -> None:
    """A manifest that is true of the weights in the directory."""
    weights = (directory / WEIGHTS_NAME).read_bytes()
    manifest = ArtifactManifest(
        model=ObjectIdentity(namespace="team-a", name="ann", uid=uid),
        revision=2,
        attempt=1,
        inference_id="inference-1",
        base_model=BaseModelReference(source="s3://models/base/", revision="1", sha256=base_sha256),
        subject=SubjectWords(class_noun="person", token="sks"),
        training=TrainingSettings(
            method="LoRA",
            steps=10,
            batch_size=1,
            learning_rate=1e-4,
            rank=4,
            resolution=64,
            text_encoder="Freeze",
            prior_preservation=PriorPreservationSettings(weight=0.0, num_class_images=0),
            seed=0,
        ),
        photo_count=12,
        files=[
            ArtifactFile(
                path=WEIGHTS_NAME, sha256=hashlib.sha256(weights).hexdigest(), size_bytes=len(weights)
            )
        ],
        created_at="2026-11-22T12:00:00Z",
        worker_version="0.1.0",
    )
    (directory / MANIFEST_NAME).write_text(manifest.model_dump_json(by_alias=True, exclude_none=True))


@pytest.fixture
def rewrite_manifest(base_sha256: str) -> Callable[[Path], None]:
    """Make the manifest true again after the weights have been tampered with."""
    return lambda directory: write_manifest(directory, directory.name, base_sha256)


@pytest.fixture
def read_adapter(engine: HookedEngine) -> Callable[[Path], LowRankAdapter]:
    """An artifact's directory as an adapter."""
    return lambda directory: fit_to_base(
        read_lora_weights(directory / WEIGHTS_NAME, max_rank=256), engine.weight_shapes
    )


@pytest.fixture(scope="session")
def request_document() -> Callable[..., dict[str, Any]]:
    """Build an InferenceRequest's wire form: so many pictures, any field overridden by its wire name."""

    def build(count: int = 1, **overrides: Any) -> dict[str, Any]:
        request = InferenceRequest(
            pictures=[
                PictureRequest(
                    prompt=f"sks person {index}", seed=7 + index, prompt_index=index, image_index=0
                )
                for index in range(count)
            ],
            num_inference_steps=2,
            guidance_scale=4.0,
            width=64,
            height=64,
            scheduler="DDIM",
        )
        return request.to_wire() | overrides

    return build


class GatedEngine:
    """The real engine, but drawing waits until the test lets it go on. Test double for "a long drawing"."""

    def __init__(self, engine: HookedEngine) -> None:
        self._engine = engine
        self.drawing = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    @property
    def base_sha256(self) -> str:
        return self._engine.base_sha256

    @property
    def weight_shapes(self) -> Mapping[str, tuple[int, ...]]:
        return self._engine.weight_shapes

    def resident_bytes(self, adapter: LowRankAdapter) -> int:
        return self._engine.resident_bytes(adapter)

    def load(self, name: str, adapter: LowRankAdapter) -> None:
        self._engine.load(name, adapter)

    def unload(self, name: str) -> None:
        self._engine.unload(name)

    def draw(
        self,
        name: str | None,
        pictures: Sequence[PictureRequest],
        settings: InferenceRequest,
        is_abandoned: Callable[[], bool],
    ) -> list[Image.Image]:
        self.drawing.set()
        assert self.go_on.wait(60)
        return self._engine.draw(name, pictures, settings, is_abandoned)


@dataclass
class RunningContainer:
    """A container whose base is loaded, and a client on its app."""

    container: ServingContainer
    engine: GatedEngine
    http: httpx.AsyncClient

    async def load(self, directory: Path, name: str | None = None) -> httpx.Response:
        return await self.http.post(
            "/models", json={"model_name": name or directory.name, "url": str(directory)}
        )


RunContainer = Callable[..., Any]


@pytest.fixture
def run_container(engine: HookedEngine, s3: Any) -> RunContainer:
    """`async with run_container(max_adapters=1) as running`: a container with these limits."""

    @asynccontextmanager
    async def run(**limits: int) -> AsyncIterator[RunningContainer]:
        gated = GatedEngine(engine)
        failures: list[Exception] = []
        container = ServingContainer(
            lambda: gated, S3ObjectStorage(s3), ServingSettings(**limits), failures.append
        )
        transport = httpx.ASGITransport(container.app, raise_app_exceptions=False)
        async with (
            container.app.router.lifespan_context(container.app),
            httpx.AsyncClient(transport=transport, base_url="http://worker", timeout=60) as http,
        ):
            async with asyncio.timeout(60):
                while (await http.get("/ping")).status_code != 200:
                    assert not failures
                    await asyncio.sleep(0.01)
            yield RunningContainer(container, gated, http)

    return run


@pytest.fixture
async def running(run_container: RunContainer) -> AsyncIterator[RunningContainer]:
    """A container with the default limits."""
    async with run_container() as container:
        yield container


@pytest.fixture(scope="session")
def moto_server() -> Iterator[str]:
    """S3, as moto plays it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def s3_client(moto_server: str) -> Any:
    """One client for all tests: to make one takes longer than most of them."""
    return boto3.client(
        "s3",
        endpoint_url=moto_server,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name="us-east-1",
    )


@pytest.fixture
def s3(moto_server: str, s3_client: Any) -> Any:
    """S3 with one empty bucket."""
    httpx.post(f"{moto_server}/moto-api/reset")
    s3_client.create_bucket(Bucket=BUCKET)
    return s3_client
