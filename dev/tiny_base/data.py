"""Renders the training pictures once, with several processes, into files that training maps into memory.

`images.npy` is uint8 [count, 64, 64, 3]; `labels.npy` is int8 [count, 9], indices into the values of
`synthetic_people.ATTRIBUTES`. Captions are not stored: they are drawn anew from the labels each time a picture is used.
"""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from synthetic_people import ATTRIBUTES, Person, PhotoAttributes, held_out_people, render

SIZE = 64
_CHUNK = 256

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int8]


def labels_of(attributes: Mapping[str, str]) -> list[int]:
    """Attribute values -> indices, in the order of `ATTRIBUTES`."""
    return [values.index(attributes[name]) for name, values in ATTRIBUTES.items()]


def attributes_of(labels: Sequence[int] | Labels) -> dict[str, str]:
    """Indices -> attribute values; the inverse of `labels_of`."""
    return {
        name: values[int(index)] for (name, values), index in zip(ATTRIBUTES.items(), labels, strict=True)
    }


def render_pretraining_data(directory: Path, count: int, seed: int, processes: int) -> tuple[Images, Labels]:
    """Renders `count` photos of random people, never held-out ones, or maps them if they are there already.

    The files appear under their names only when complete, so that an interrupted rendering is simply started again.
    """
    images_path, labels_path = directory / "images.npy", directory / "labels.npy"
    if not (images_path.exists() and labels_path.exists()):
        directory.mkdir(parents=True, exist_ok=True)
        images = np.lib.format.open_memmap(
            directory / "images.partial.npy", mode="w+", dtype=np.uint8, shape=(count, SIZE, SIZE, 3)
        )
        labels = np.zeros((count, len(ATTRIBUTES)), np.int8)
        chunks = [(seed, start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            for (_, start, stop), (pixels, indices) in zip(
                chunks, pool.imap(_render_chunk, chunks), strict=True
            ):
                images[start:stop], labels[start:stop] = pixels, indices
        images.flush()
        np.save(labels_path, labels)
        (directory / "images.partial.npy").rename(images_path)
    return np.load(images_path, mmap_mode="r"), np.load(labels_path)


def render_held_out_data(count: int, seed: int) -> tuple[Images, Labels]:
    """Photos of the 100 held-out people in turn, in random scenes."""
    people = held_out_people()
    rng = random.Random(f"held-out data {seed}")
    return _render([people[index % len(people)] for index in range(count)], rng)


def _render_chunk(chunk: tuple[int, int, int]) -> tuple[Images, Labels]:
    seed, start, stop = chunk
    rng = random.Random(f"pre-training data {seed} from {start}")
    return _render([Person.random(rng) for _ in range(stop - start)], rng)


def _render(people: Sequence[Person], rng: random.Random) -> tuple[Images, Labels]:
    pixels, labels = [], []
    for person in people:
        scene = PhotoAttributes.random(rng)
        pixels.append(np.asarray(render(person, scene, SIZE)))
        labels.append(labels_of(person.attributes() | scene.attributes()))
    return np.stack(pixels), np.array(labels, np.int8)
