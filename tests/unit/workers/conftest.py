"""S3 and SQS that really speak HTTP, a tiny pipeline with random weights, and photos nobody took."""

from __future__ import annotations

import io
import random
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from moto.server import ThreadedMotoServer
from PIL import Image, ImageDraw
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from avatar_api.documents.training import (
    ArtifactDestination,
    BaseModelReference,
    ObjectIdentity,
    PhotoLocation,
    PhotoPolicy,
    PriorPreservationSettings,
    ProgressDestination,
    SubjectWords,
    TrainingRequest,
    TrainingSettings,
)
from avatar_workers.base_model.directory_digest import directory_digest
from avatar_workers.base_model.pipeline import BaseModel, load_base_model
from avatar_workers.storage import S3ObjectStorage

RESOLUTION = 64
PhotoDrawing = Callable[[int], bytes]
RequestBuilder = Callable[..., TrainingRequest]


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    """S3 and SQS on this machine. Returns the endpoint's URL."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def _environment(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where boto3 looks for AWS, for these tests and no others of the same session."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")


@pytest.fixture(scope="session", autouse=True)
def _one_torch_thread() -> None:
    """Operations this small get slower with every thread."""
    torch.set_num_threads(1)


@pytest.fixture
def s3() -> Any:
    return boto3.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    """A new bucket."""
    name = f"test-{uuid.uuid4().hex}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return name


@pytest.fixture
def storage() -> S3ObjectStorage:
    return S3ObjectStorage()


@pytest.fixture
def keys(s3: Any, bucket: str) -> Callable[[], list[str]]:
    """What stands in the bucket."""

    def listing() -> list[str]:
        return [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

    return listing


@pytest.fixture
def queue_url() -> str:
    """A new SQS queue."""
    return str(boto3.client("sqs").create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"])


@pytest.fixture(scope="session")
def base_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Stable Diffusion pipeline of half a million random weights."""
    torch.manual_seed(0)
    letters = [chr(code) for code in range(33, 127)]
    words = ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = [*letters, *(f"{letter}</w>" for letter in letters), *words]
    begin, end = len(vocabulary) - 2, len(vocabulary) - 1
    tokenizer = CLIPTokenizer(
        vocab={word: index for index, word in enumerate(vocabulary)}, merges=[], model_max_length=32
    )
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(vocabulary),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=32,
            bos_token_id=begin,
            eos_token_id=end,
            pad_token_id=end,
        )
    )
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32,
        attention_head_dim=4,
        norm_num_groups=8,
    )
    vae = AutoencoderKL(
        block_out_channels=(8, 16, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=8,
        sample_size=64,
    )
    directory = tmp_path_factory.mktemp("base") / "tiny"
    pipeline: Any = StableDiffusionPipeline(
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=DDIMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            clip_sample=False,
            steps_offset=1,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def base(base_directory: Path) -> BaseModel:
    """The resident base, shared by all tests: whoever changes it breaks the others."""
    return load_base_model(
        base_directory,
        sha256=directory_digest(base_directory),
        source="s3://models/tiny/",
        device=torch.device("cpu"),
    )


@pytest.fixture(scope="session")
def draw_photo() -> PhotoDrawing:
    """A sharp 128×128 JPEG for each number, all different."""

    def draw(number: int) -> bytes:
        rng = random.Random(number)
        image = Image.new("RGB", (128, 128), tuple(rng.randrange(256) for _ in range(3)))
        canvas = ImageDraw.Draw(image)
        for _ in range(12):
            left, top = rng.randrange(110), rng.randrange(110)
            box = (left, top, left + rng.randrange(10, 60), top + rng.randrange(10, 60))
            canvas.ellipse(box, fill=tuple(rng.randrange(256) for _ in range(3)))
        encoded = io.BytesIO()
        image.save(encoded, "JPEG", quality=92)
        return encoded.getvalue()

    return draw


@pytest.fixture
def training_request(s3: Any, bucket: str, base: BaseModel, draw_photo: PhotoDrawing) -> RequestBuilder:
    """Uploads photos and builds a request for them; keyword arguments replace training settings."""

    def build(
        photos: list[bytes] | None = None,
        *,
        min_count: int = 2,
        attempt: int = 1,
        queue_url: str | None = None,
        num_class_images: int = 2,
        **training: Any,
    ) -> TrainingRequest:
        contents = [draw_photo(number) for number in range(3)] if photos is None else photos
        for index, content in enumerate(contents):
            s3.put_object(Bucket=bucket, Key=f"photos/{index}.jpg", Body=content)
        settings = {
            "method": "LoRA",
            "steps": 3,
            "batch_size": 2,
            "learning_rate": 1e-2,
            "rank": 4,
            "resolution": RESOLUTION,
            "text_encoder": "Freeze",
            "prior_preservation": PriorPreservationSettings(weight=1.0, num_class_images=num_class_images),
            "seed": 7,
        }
        return TrainingRequest(
            inference_id=f"avm-uid-1-{attempt}",
            model=ObjectIdentity(namespace="team", name="ann", uid="uid"),
            revision=1,
            attempt=attempt,
            photos=[PhotoLocation(uri=f"s3://{bucket}/photos/{i}.jpg") for i in range(len(contents))],
            photo_policy=PhotoPolicy(min_count=min_count, max_count=15, max_bytes=1 << 20),
            subject=SubjectWords(class_noun="person", token="sks"),
            training=TrainingSettings.model_validate({**settings, **training}),
            base_model=BaseModelReference(source="s3://models/tiny/", revision="main", sha256=base.sha256),
            claim_uri=f"s3://{bucket}/requests/{attempt}/claim.json",
            artifact=ArtifactDestination(
                uri=f"s3://{bucket}/artifacts/{attempt}/model.tar.gz",
                manifest_uri=f"s3://{bucket}/artifacts/{attempt}/manifest.json",
                target_model=f"{attempt}/model.tar.gz",
            ),
            progress=ProgressDestination(queue_url=queue_url, interval_seconds=0) if queue_url else None,
        )

    return build
