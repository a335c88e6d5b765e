"""`python -m tiny_base all`: makes the tiny base and the judge from nothing.

Every stage can also be run alone, in the order `data`, `text`, `vae`, `latents`, `unet`, `assemble`, `judge`. A stage that was
interrupted goes on from its checkpoint when it is started again. On a GPU: `--device cuda --processes 1`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

from tiny_base.architecture import build_vae
from tiny_base.data import render_pretraining_data
from tiny_base.judge import Judge, JudgeNetwork
from tiny_base.judge_training import JudgeStageFactory
from tiny_base.pipeline_files import assemble, save_pipeline, write_checksums
from tiny_base.text_pretraining import build_text_stage
from tiny_base.training_loop import Run, Schedule, StageFactory, load_averaged, train
from tiny_base.unet_training import UnetStage, UnetStageFactory
from tiny_base.vae_training import VaeStageFactory, encode_files, standardise

_SEED = 0
_STAGES = ("data", "text", "vae", "latents", "unet", "assemble", "judge")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tiny_base", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stage", choices=(*_STAGES, "all"))
    parser.add_argument("--work", type=Path, default=Path(".cache/tiny-base"), help="renders and checkpoints")
    parser.add_argument(
        "--out", type=Path, default=Path("dev/models"), help="gets tiny-people/ and tiny-judge/"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--processes", type=int, default=2, help="training processes, one thread each on a CPU"
    )
    parser.add_argument("--renders", type=int, default=40_000)
    parser.add_argument("--latents", type=int, default=20_000, help="renders that the UNet learns from")
    parser.add_argument("--text-steps", type=int, default=340)
    parser.add_argument("--vae-steps", type=int, default=8_200)
    parser.add_argument("--unet-steps", type=int, default=10_000)
    parser.add_argument("--judge-steps", type=int, default=1_500)
    options = parser.parse_args(arguments)
    for stage in _STAGES if options.stage == "all" else (options.stage,):
        print(f"tiny_base: {stage}", flush=True)
        _run_stage(stage, options)
    return 0


def _run_stage(stage: str, options: argparse.Namespace) -> None:
    work: Path = options.work
    match stage:
        case "data":
            render_pretraining_data(work, options.renders, _SEED, options.processes)
        case "text":
            schedule = Schedule(options.text_steps, 64, 1.5e-3, decay_from=0.5, average=0.99)
            _train(options, work / "text", schedule, build_text_stage, processes=1)
        case "vae":
            schedule = Schedule(options.vae_steps, 4, 1.5e-3, decay_from=0.5, average=0.998)
            _train(
                options, work / "vae", schedule, VaeStageFactory(work, work / "vae", options.renders, _SEED)
            )
        case "latents":
            _encode(options)
        case "unet":
            schedule = Schedule(options.unet_steps, 16, 1e-3, warmup=200, decay_from=0.6, average=0.998)
            _train(options, work / "unet", schedule, _unet_factory(work))
        case "assemble":
            unet_stage = UnetStage(_unet_factory(work), torch.device("cpu"))
            if (work / "unet" / "checkpoint.safetensors").exists():
                load_averaged(unet_stage.modules, work / "unet" / "checkpoint.safetensors")
            pipeline = assemble(
                unet_stage.tokenizer, unet_stage.text_encoder, unet_stage.vae, unet_stage.unet
            )
            save_pipeline(pipeline, options.out / "tiny-people")
            write_checksums(options.out / "tiny-people")
        case "judge":
            schedule = Schedule(options.judge_steps, 64, 1.5e-3, decay_from=0.5, average=0.99)
            factory = JudgeStageFactory(work, options.renders, _SEED)
            _train(options, work / "judge", schedule, factory, processes=1)
            network = JudgeNetwork()
            load_averaged(network, work / "judge" / "checkpoint.safetensors")
            Judge(network).save(options.out / "tiny-judge")
            write_checksums(options.out / "tiny-judge")


def _train(
    options: argparse.Namespace,
    directory: Path,
    schedule: Schedule,
    build_stage: StageFactory,
    processes: int | None = None,
) -> None:
    train(
        Run(directory, schedule, seed=_SEED, device=options.device, processes=processes or options.processes),
        build_stage,
    )


def _encode(options: argparse.Namespace) -> None:
    work: Path = options.work
    vae: AutoencoderKL = build_vae()
    load_averaged(vae, work / "vae" / "checkpoint.safetensors")
    images, _ = render_pretraining_data(work, options.renders, _SEED, options.processes)
    standardise(vae, images[:1024])
    finished = work / "finished-vae"
    vae.save_pretrained(finished, safe_serialization=True)
    encode_files(
        finished,
        work / "images.npy",
        work / "latents.npy",
        options.latents,
        options.device,
        options.processes,
    )


def _unet_factory(work: Path) -> UnetStageFactory:
    return UnetStageFactory(
        latents=work / "latents.npy",
        labels=work / "labels.npy",
        vae=work / "finished-vae",
        text_checkpoint=work / "text" / "checkpoint.safetensors",
        directory=work / "unet",
    )


if __name__ == "__main__":
    sys.exit(main())
