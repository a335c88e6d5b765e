"""The `sagemaker-local` command.

    sagemaker-local --image trainer='python -m my_trainer' --image server='python -m my_server' --port 4566

Prints the URL when it answers, and runs until it is interrupted. A configuration file says the same for many images:

    port = 4566
    data_dir = "./aws"
    [images]
    trainer = "python -m my_trainer"
    server = ["python", "-m", "my_server"]
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from sagemaker_local.instances.commands import parse_image_option

MAX_CONFIG_BYTES = 1 << 20

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class BadConfiguration(Exception):
    """The command cannot run as asked. One sentence."""


@app.command()
def serve(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 4566,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    image: Annotated[
        list[str] | None,
        typer.Option(help="NAME=COMMAND LINE: what runs for a container image. Repeat for more images."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file with port, host, data_dir, clock_speed and [images].")
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Keep instance directories and logs here; without it they are temporary."),
    ] = None,
    url_file: Annotated[
        Path | None, typer.Option(help="Write the URL to this file when the server answers.")
    ] = None,
    clock_speed: Annotated[
        float, typer.Option(help="AWS seconds per real second, for queue TTLs and time-outs.")
    ] = 1.0,
    exit_on_stdin_close: Annotated[
        bool,
        typer.Option(
            help="End when standard input ends, so that no server outlives the process that started it."
        ),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every request.")] = False,
) -> None:
    """AWS for SageMaker developers on one machine: S3, SNS, SQS, IAM, CloudWatch and a SageMaker whose endpoints really run."""
    logging.basicConfig(
        level=logging.INFO if not verbose else logging.DEBUG,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for noisy in ("botocore", "boto3", "urllib3", "werkzeug", "s3transfer"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = _settings(config)
        images = dict(settings.pop("images")) | dict(parse_image_option(option) for option in image or ())
        options = {"port": port, "bind_host": host, "data_dir": data_dir, "clock_speed": clock_speed}
        context_defaults = {"port": 4566, "bind_host": "127.0.0.1", "data_dir": None, "clock_speed": 1.0}
        options |= {
            name: value for name, value in settings.items() if options[name] == context_defaults[name]
        }
        _run(images, options, url_file, stop, exit_on_stdin_close)
    except (BadConfiguration, ValueError, OSError) as error:
        typer.echo(f"sagemaker-local: {error}", err=True)
        raise typer.Exit(1) from None


def _run(
    images: dict[str, list[str]],
    options: dict[str, Any],
    url_file: Path | None,
    stop: threading.Event,
    watch_stdin: bool,
) -> None:
    from sagemaker_local.http_server import PortInUse
    from sagemaker_local.server import LocalAwsServer

    try:
        server = LocalAwsServer(images, **options)
    except PortInUse as error:
        raise BadConfiguration(f"{error} (choose another --port, or 0 for a free one)") from error
    try:
        server.start()
        typer.echo(server.url)
        if url_file is not None:
            _write_url(url_file, server.url)
        if watch_stdin:
            threading.Thread(target=_stop_at_end_of_stdin, args=(stop,), daemon=True).start()
        stop.wait()
    finally:
        server.close()
        if url_file is not None:
            url_file.unlink(missing_ok=True)


def _write_url(url_file: Path, url: str) -> None:
    """Appear with its content or not at all: readers wait for the file."""
    partial = url_file.with_name(url_file.name + ".partial")
    partial.write_text(url + "\n")
    partial.replace(url_file)


def _stop_at_end_of_stdin(stop: threading.Event) -> None:
    while sys.stdin.buffer.read(4096):
        continue
    stop.set()


def _settings(config: Path | None) -> dict[str, Any]:
    """The configuration file's settings, checked; `images` is always there."""
    if config is None:
        return {"images": {}}
    if config.stat().st_size > MAX_CONFIG_BYTES:
        raise BadConfiguration(f"{config} exceeds {MAX_CONFIG_BYTES} bytes")
    try:
        raw = tomllib.loads(config.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{config}: {error}") from error
    kinds: dict[str, tuple[str, type | tuple[type, ...]]] = {
        "port": ("port", int),
        "host": ("bind_host", str),
        "data_dir": ("data_dir", str),
        "clock_speed": ("clock_speed", (int, float)),
        "images": ("images", dict),
    }
    settings: dict[str, Any] = {"images": {}}
    for name, value in raw.items():
        if name not in kinds or not isinstance(value, kinds[name][1]):
            raise BadConfiguration(
                f"{config}: {name} = {value!r} is not a setting of sagemaker-local ({', '.join(kinds)})"
            )
        settings[kinds[name][0]] = value
    if "data_dir" in settings:
        settings["data_dir"] = config.parent / settings["data_dir"]
    settings["images"] = dict(
        _image_setting(config, name, value) for name, value in settings["images"].items()
    )
    return settings


def _image_setting(config: Path, name: str, value: Any) -> tuple[str, list[str]]:
    if isinstance(value, str):
        return parse_image_option(f"{name}={value}")
    if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        return name, value
    raise BadConfiguration(f"{config}: images.{name} must be a command line or a list of words")


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
