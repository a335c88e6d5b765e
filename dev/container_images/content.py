"""What a quick image holds: the virtual environment that the Dockerfile's first stage makes, made by uv on this machine.

It is two layers: the packages of the lock, which change seldom and come from the cache, and our own.
"""

from __future__ import annotations

import configparser
import csv
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from container_images.base import PYTHON
from container_images.cache import kept
from container_images.errors import ImageError
from container_images.images import HOME, PROJECT, Image
from container_images.oci_archive import Layer

SITE_PACKAGES = f"{HOME}/lib/python{PYTHON[0]}.{PYTHON[1]}/site-packages"
_PROJECT_FILES = ("pyproject.toml", "uv.lock", "README.md", "LICENSE")
# They say where and when a package was installed, and nothing about the package.
_OF_THE_MOMENT = ("direct_url.json", "uv_cache.json", "REQUESTED")
_LAYOUT = "2"


def content_layers(image: Image, uv: str, cache: Path, work: Path) -> list[Layer]:
    """The layers above the base: the lock's packages, and our own.

    Args:
        image: which.
        uv: the program.
        cache: where the first of them is kept.
        work: an empty folder; layers that are not kept are written to it.

    Raises:
        ImageError: this interpreter is not the base's, or uv could not do its work.
    """
    if sys.version_info[:2] != PYTHON:
        running = ".".join(map(str, sys.version_info[:2]))
        raise ImageError(f"quick images are made for Python {PYTHON[0]}.{PYTHON[1]}, and this is {running}")
    locked = _run(
        uv, "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project", f"--extra={image.extra}"
    )
    key = hashlib.sha256(f"{_LAYOUT}\n{image.without_bytecode}\n{locked}".encode()).hexdigest()[:16]
    packages = kept(
        cache, f"{image.name}-{key}.tar", lambda path, room: _pack_locked(image, uv, locked, path, room)
    )
    return [Layer.of_tar(packages), _own_layer(image, uv, packages, work)]


def _pack_locked(image: Image, uv: str, locked: str, path: Path, room: Path) -> None:
    requirements = room / "locked.txt"
    requirements.write_text(locked)
    root = room / "root"
    _install(uv, root / SITE_PACKAGES, "--require-hashes", f"--requirement={requirements}")
    _compile(root / SITE_PACKAGES, image.without_bytecode)
    Layer.of_folder(root, path)


def _own_layer(image: Image, uv: str, packages: Path, work: Path) -> Layer:
    root, dependencies = work / "root", work / "dependencies"
    site_packages = root / SITE_PACKAGES
    _install(uv, site_packages, _wheel(image, uv, work))
    subprocess.run(
        ["tar", "--extract", f"--file={packages}", f"--directory={_made(dependencies)}"], check=True
    )
    _write_papers(image, uv, root, [site_packages, dependencies / SITE_PACKAGES])
    _compile(site_packages, "")
    _write_environment(image, root, site_packages)
    return Layer.of_folder(root, work / "own.tar")


def _wheel(image: Image, uv: str, work: Path) -> str:
    """Built where only the image's own packages are, so that it holds no others."""
    source = _made(work / "source")
    for name in _PROJECT_FILES:
        shutil.copy(PROJECT / name, source / name)
    for package in image.packages:
        shutil.copytree(PROJECT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    _run(uv, "build", "--quiet", "--wheel", f"--out-dir={work / 'wheel'}", str(source))
    return str(next((work / "wheel").glob("*.whl")))


def _install(uv: str, target: Path, *what: str) -> None:
    _run(
        uv,
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--link-mode=copy",
        f"--python={sys.executable}",
        f"--target={target}",
        *what,
    )
    # Programs of the packages that we use are none of the image's, and name this machine's interpreter.
    shutil.rmtree(target / "bin", ignore_errors=True)
    for of_the_moment in _OF_THE_MOMENT:
        for file in target.glob(f"*.dist-info/{of_the_moment}"):
            file.unlink()
    for record in target.glob("*.dist-info/RECORD"):
        _forget_what_is_gone(record, target)


def _forget_what_is_gone(record: Path, target: Path) -> None:
    with record.open(newline="") as file:
        rows = [row for row in csv.reader(file) if (target / row[0]).exists()]
    with record.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _compile(site_packages: Path, without: str) -> None:
    # A file system that is read-only keeps no bytecode, and without any a start takes four times as long.
    command = [sys.executable, "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    place = ["-s", str(site_packages), "-p", f"/{SITE_PACKAGES}"]
    done = subprocess.run(
        [*command, *place, *(["-x", without] if without else []), str(site_packages)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ImageError(f"cannot compile {site_packages}: {done.stdout.strip()[-400:]}")


def _write_papers(image: Image, uv: str, root: Path, installed: Sequence[Path]) -> None:
    search_path = os.pathsep.join(map(str, [*installed, PROJECT / "dev"]))
    directory = root / HOME / "share/doc" / image.program
    command = [sys.executable, "-S", "-m", "dependency_audit.image_papers", f"--uv={uv}"]
    _checked(
        [*command, f"--extra={image.extra}", f"--out={directory}"],
        {**os.environ, "PYTHONPATH": search_path, "PYTHONDONTWRITEBYTECODE": "1"},
    )


def _write_environment(image: Image, root: Path, site_packages: Path) -> None:
    """What makes a folder a virtual environment, and the one program in it."""
    version = ".".join(map(str, PYTHON))
    programs = _made(root / HOME / "bin")
    (programs / "python").symlink_to("/usr/bin/python3")
    (root / HOME / "pyvenv.cfg").write_text(
        f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {version}\n"
    )
    entry_points = configparser.ConfigParser()
    entry_points.read(next(site_packages.glob("avatar_operator-*.dist-info/entry_points.txt")))
    module, _, function = entry_points["console_scripts"][image.program].partition(":")
    program = programs / image.program
    program.write_text(
        f"#!/{HOME}/bin/python\nimport sys\n\nfrom {module} import {function}\n\nsys.exit({function}())\n"
    )
    program.chmod(0o755)


def _run(*command: str) -> str:
    return _checked(list(command), None)


def _checked(command: list[str], environment: dict[str, str] | None) -> str:
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ImageError(f"{' '.join(command[:4])} ...: {' '.join(done.stderr.split())[-600:]}")
    return done.stdout


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory
