"""The tiny base: a Stable Diffusion pipeline in miniature and the judge that measures it, trained from nothing.

Why: no weights can be downloaded where this is built and tested, and random ones draw noise. Data flows
`data` (renders) -> `text_pretraining`, `vae_training` -> cached latents -> `unet_training` ->
`pipeline_files` (what is shipped); `judge_training` -> `judge` -> `measure`, `dreambooth_figures` (people trained by
`in_process_workers`; `make bench-quality` prints both), `likeness` (what the end-to-end test asks). All stages share
`training_loop`; `python -m tiny_base` runs them. `random_sdxl` is a sibling in SDXL's shape with random weights, for code
paths only. The trade-off taken is 64 x 64 pixels and a small vocabulary for a
model that fits a repository and draws in about a second.
"""
