"""The sibling in SDXL's shape: it loads as any other, and the workers say that they do not know it."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline

from avatar_workers.base_model.directory_digest import directory_digest
from avatar_workers.base_model.pipeline import load_base_model
from avatar_workers.errors import WorkerFailure
from tiny_base.random_sdxl import main, save_random_sdxl


@pytest.fixture(scope="module")
def random_sdxl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    directory = tmp_path_factory.mktemp("base") / "random-sdxl"
    save_random_sdxl(directory)
    return directory


def test_it_loads_as_sdxl_with_two_text_encoders_and_added_conditioning(random_sdxl: Path) -> None:
    pipeline: Any = StableDiffusionXLPipeline.from_pretrained(
        random_sdxl, use_safetensors=True, local_files_only=True
    )
    pipeline.set_progress_bar_config(disable=True)
    assert type(pipeline.text_encoder_2).__name__ == "CLIPTextModelWithProjection"
    assert pipeline.unet.config.addition_embed_type == "text_time"
    picture = pipeline(
        "a photo of a person", height=64, width=64, num_inference_steps=2, output_type="np"
    ).images[0]
    assert picture.shape == (64, 64, 3)


def test_the_same_seed_gives_the_same_bytes(random_sdxl: Path, tmp_path: Path) -> None:
    def weights(directory: Path) -> dict[str, str]:
        files = sorted(directory.rglob("*.safetensors"))
        return {
            str(file.relative_to(directory)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files
        }

    torch.manual_seed(99)
    save_random_sdxl(tmp_path / "again")
    save_random_sdxl(tmp_path / "other", seed=1)
    assert weights(tmp_path / "again") == weights(random_sdxl)
    assert weights(tmp_path / "other") != weights(random_sdxl)


def test_the_command_does_not_write_into_a_directory_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 1
    assert "exists already" in capsys.readouterr().err


def test_the_workers_refuse_an_sdxl_base_and_say_what_they_support(random_sdxl: Path) -> None:
    """Both workers load their base here. Trained as if it were Stable Diffusion, half of its conditioning would be lost."""
    with pytest.raises(WorkerFailure) as caught:
        load_base_model(
            random_sdxl,
            sha256=directory_digest(random_sdxl),
            source="s3://models/sdxl/",
            device=torch.device("cpu"),
        )
    assert caught.value.code == "InvalidConfiguration"
    assert str(caught.value) == (
        "base model s3://models/sdxl/ is a StableDiffusionXLPipeline, which the workers can neither train nor draw"
        " with yet; give a StableDiffusionPipeline (Stable Diffusion 1.x or 2.x, one text encoder)"
    )
