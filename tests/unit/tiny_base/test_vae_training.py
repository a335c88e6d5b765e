import pytest
import torch

from tiny_base.architecture import LATENT_SCALE, build_vae
from tiny_base.data import render_held_out_data
from tiny_base.pixels import decibels, to_images, to_tensor
from tiny_base.vae_training import standardise


@torch.no_grad()
def test_standardising_leaves_the_round_trip_as_it_was_and_latents_standard() -> None:
    torch.manual_seed(0)
    vae = build_vae().eval()
    images, _ = render_held_out_data(16, seed=0)
    pixels = to_tensor(images)
    before = vae.decode(vae.encode(pixels).latent_dist.mean).sample
    standardise(vae, images)
    latents = vae.encode(pixels).latent_dist.mean
    torch.testing.assert_close(vae.decode(latents).sample, before, rtol=1e-3, atol=1e-4)
    scaled = latents * LATENT_SCALE
    torch.testing.assert_close(scaled.mean((0, 2, 3)), torch.zeros(4), rtol=0, atol=1e-3)
    torch.testing.assert_close(scaled.std((0, 2, 3)), torch.ones(4), rtol=0, atol=1e-3)


def test_pictures_survive_the_way_to_tensors_and_back() -> None:
    images, _ = render_held_out_data(4, seed=0)
    assert (to_images(to_tensor(images)) == images).all()


def test_twenty_decibels_are_an_error_of_a_tenth_of_the_range() -> None:
    truth = torch.zeros(2, 3, 8, 8)
    assert decibels(truth + 0.2, truth) == pytest.approx(20, abs=1e-4)
