"""What loads, and what is refused."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from avatar_workers.base_model.pipeline import BaseModel, load_base_model
from avatar_workers.errors import WorkerFailure


@pytest.fixture
def copy(base_directory: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base_directory, tmp_path / "copy"))


def load(directory: Path) -> BaseModel:
    return load_base_model(directory, sha256="0" * 64, source="here", device=torch.device("cpu"))


def test_the_base_is_frozen(base: BaseModel) -> None:
    models = [base.pipeline.unet, base.pipeline.vae, base.pipeline.text_encoder]
    assert not any(parameter.requires_grad for model in models for parameter in model.parameters())
    assert not any(model.training for model in models)


def test_pickled_weights_are_never_loaded(copy: Path, base: BaseModel) -> None:
    (copy / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    torch.save(base.pipeline.unet.state_dict(), copy / "unet" / "diffusion_pytorch_model.bin")
    with pytest.raises(WorkerFailure, match="cannot be loaded") as caught:
        load(copy)
    assert caught.value.code == "InvalidConfiguration"


def test_damaged_weights_are_refused(copy: Path) -> None:
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(WorkerFailure, match="cannot be loaded"):
        load(copy)


def test_another_prediction_type_is_refused(copy: Path) -> None:
    config = copy / "scheduler" / "scheduler_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"prediction_type": "sample"}))
    with pytest.raises(WorkerFailure, match="predicts 'sample'"):
        load(copy)
