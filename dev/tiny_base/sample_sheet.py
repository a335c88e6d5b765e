"""Puts pictures side by side into one PNG, twice their size: what to look at while something trains."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tiny_base.data import Images


def save_sheet(images: Images, columns: int, path: Path) -> None:
    """Writes uint8 [n, h, w, 3] pictures row by row."""
    count, height, width, _ = images.shape
    sheet = Image.new("RGB", (columns * width, -(-count // columns) * height))
    for index in range(count):
        sheet.paste(Image.fromarray(images[index]), (index % columns * width, index // columns * height))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.resize((2 * sheet.width, 2 * sheet.height), Image.Resampling.NEAREST).save(path)
