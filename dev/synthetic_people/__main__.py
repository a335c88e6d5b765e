"""`python -m synthetic_people --seed 9000 --count 12 --out DIR`: writes one person's photos, and captions.txt."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from synthetic_people.attributes import HELD_OUT_SEEDS, Person
from synthetic_people.photos import FLAWS, photo_set


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m synthetic_people", description=__doc__)
    held_out = f"{HELD_OUT_SEEDS.start} to {HELD_OUT_SEEDS.stop - 1}"
    parser.add_argument(
        "--seed", type=int, required=True, help=f"which person; {held_out} are never in pre-training"
    )
    parser.add_argument("--count", type=int, default=12, help="how many photos (default %(default)s)")
    parser.add_argument(
        "--set-seed", type=int, default=0, help="another set of the same person (default %(default)s)"
    )
    parser.add_argument("--size", type=int, default=256, help="side in pixels (default %(default)s)")
    parser.add_argument(
        "--flaw", action="append", default=[], choices=FLAWS, help="flaw one photo; may be repeated"
    )
    parser.add_argument("--out", type=Path, required=True, help="directory to write to; made if absent")
    options = parser.parse_args(arguments)
    person = Person.from_seed(options.seed)
    try:
        photos = photo_set(person, options.count, options.set_seed, options.flaw, options.size)
        options.out.mkdir(parents=True, exist_ok=True)
        for photo in photos:
            (options.out / photo.name).write_bytes(photo.data)
        lines = [f"{photo.name}\t{photo.caption}\t{photo.flaw or ''}\n" for photo in photos]
        (options.out / "captions.txt").write_text("".join(lines))
    except (OSError, ValueError) as error:
        print(f"synthetic_people: {error}", file=sys.stderr)
        return 1
    print(f"{len(photos)} photos of {', '.join(person.attributes().values())} in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
