import hashlib
from pathlib import Path

import pytest
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline

from synthetic_people import PHOTO_ATTRIBUTES, caption
from tiny_base.judge import Judge
from tiny_base.measure import draw, load_base
from tiny_base.pipeline_files import CHECKSUMS

_MODELS = Path(__file__).parents[3] / "dev" / "models"


@pytest.fixture(scope="module")
def base() -> StableDiffusionPipeline:
    torch.set_num_threads(1)
    return load_base(_MODELS / "tiny-people")


@pytest.mark.parametrize("model", ["tiny-people", "tiny-judge"])
def test_every_file_matches_its_checksum(model: str) -> None:
    directory = _MODELS / model
    lines = (directory / CHECKSUMS).read_text().splitlines()
    recorded = {name: digest for digest, name in (line.split("  ") for line in lines)}
    present = {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.rglob("*")
        if path.is_file() and path.name != CHECKSUMS
    }
    assert recorded == present


def test_the_base_takes_at_most_20_megabytes_and_holds_no_pickle() -> None:
    files = [path for path in (_MODELS / "tiny-people").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 20_000_000
    assert {path.suffix for path in files} <= {".json", ".safetensors", ".md", ""}


def test_a_plain_load_gives_one_dtype_throughout(base: StableDiffusionPipeline) -> None:
    modules: list[torch.nn.Module] = [base.unet, base.vae, base.text_encoder]
    assert {parameter.dtype for module in modules for parameter in module.parameters()} == {torch.float32}


def test_the_base_draws_the_place_and_the_clothes_that_the_prompt_names(
    base: StableDiffusionPipeline,
) -> None:
    """Chance is one in eight and one in five; an untrained UNet, or one deaf to its prompt, fails."""
    wanted = [
        {"background": place, "clothes": PHOTO_ATTRIBUTES["clothes"][index % 5]}
        for index, place in enumerate(PHOTO_ATTRIBUTES["background"])
    ]
    pictures = draw(base, [caption(attributes) for attributes in wanted], steps=15, guidance=4.0, seed=0)
    read = Judge.load(_MODELS / "tiny-judge").read(pictures)
    for name in ("background", "clothes"):
        assert sum(found[name] == named[name] for found, named in zip(read, wanted, strict=True)) >= 6, name
