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
import os
import signal
import sys
import threading
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from sagemaker_local.async_inference.redelivery import MAX_REDELIVERIES
from sagemaker_local.instances.commands import parse_image_option

DEFAULT_PORT = 4566
MAX_CONFIG_BYTES = 1 << 20

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


class BadConfiguration(Exception):
    """The command cannot run as asked. One sentence."""


@app.command()
def serve(
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one. [default: 4566]"),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1]")] = None,
    image: Annotated[
        list[str] | None,
        typer.Option(help="NAME=COMMAND LINE: what runs for a container image. Repeat for more images."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="TOML file with the same settings, named as the options are, and [images]; options win."
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="Keep everything here, so that the next start goes on where this one ended; without it nothing is kept."
        ),
    ] = None,
    url_file: Annotated[
        Path | None, typer.Option(help="Write the URL to this file when the server answers.")
    ] = None,
    clock_speed: Annotated[
        float | None,
        typer.Option(help="AWS seconds per real second, for queue TTLs and time-outs. [default: 1]"),
    ] = None,
    disk_budget: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Bytes of models that an instance of a multi-model endpoint keeps on its disk. [default: 30 GiB]",
        ),
    ] = None,
    redeliveries: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=MAX_REDELIVERIES,
            help="How often an asynchronous invocation is run again after its container died. [default: 0: it fails]",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            help="A name of this server beside those of this machine, buckets below it included. Repeat."
        ),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            help="An origin whose web pages may call this server, and so run code on this machine. Repeat."
        ),
    ] = None,
    pass_env: Annotated[
        list[str] | None,
        typer.Option(help="A variable of this command's environment that containers inherit. Repeat."),
    ] = None,
    exit_on_stdin_close: Annotated[
        bool,
        typer.Option(help="End when standard input ends, so that the server cannot outlive who started it."),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every request.")] = False,
) -> None:
    """AWS for SageMaker developers on one machine: S3, SNS, SQS, IAM, CloudWatch, and a SageMaker whose endpoints really run.

    An image is any command that listens on $SAGEMAKER_BIND_TO_PORT and answers GET /ping and POST /invocations. Start the
    server, and point boto3 or the AWS CLI at it:

    \b
      sagemaker-local --image trainer='python -m my_trainer'
      export AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_DEFAULT_REGION=us-east-1
      export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
      aws sagemaker create-model --model-name m --primary-container Image=trainer \\
          --execution-role-arn arn:aws:iam::123456789012:role/any

    It runs until it is interrupted, and leaves nothing behind unless --data-dir is given.
    """
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for noisy in ("botocore", "boto3", "urllib3", "werkzeug", "s3transfer"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    given = {
        "port": port,
        "bind_host": host,
        "data_dir": data_dir,
        "clock_speed": clock_speed,
        "disk_budget": disk_budget,
        "redeliveries": redeliveries,
        "allow_hosts": allow_host,
        "allow_origins": allow_origin,
        "pass_environment": pass_env,
    }
    try:
        settings = _settings(config)
        settings |= {name: value for name, value in given.items() if value not in (None, [])}
        settings["images"] |= dict(parse_image_option(option) for option in image or ())
        _run(settings, url_file, exit_on_stdin_close)
    except (BadConfiguration, ValueError, OSError) as error:
        typer.echo(f"sagemaker-local: {error}", err=True)
        raise typer.Exit(1) from None


def _run(settings: dict[str, Any], url_file: Path | None, watch_stdin: bool) -> None:
    """Serve until a signal comes or, if asked for, standard input ends.

    What ends the server writes to a pipe on which the main thread sleeps: unlike setting an Event, that is safe in a signal
    handler whatever the main thread is doing.
    """
    from sagemaker_local.http_server import PortInUse
    from sagemaker_local.server import LocalAwsServer

    try:
        server = LocalAwsServer(**settings)
    except PortInUse as error:
        raise BadConfiguration(f"{error} (choose another --port, or 0 for a free one)") from error
    asked_to_stop, stop = os.pipe()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os.write(stop, b"."))
    try:
        server.start()
        typer.echo(server.url)
        if url_file is not None:
            _write_url(url_file, server.url)
        if watch_stdin:
            threading.Thread(target=_stop_at_end_of_stdin, args=(stop,), daemon=True).start()
        os.read(asked_to_stop, 1)
    finally:
        server.close()
        if url_file is not None:
            url_file.unlink(missing_ok=True)


def _forget_aws_settings() -> None:
    """We talk to ourselves only: a developer's profile, credentials or proxy must neither break that nor be used."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


def _write_url(url_file: Path, url: str) -> None:
    """Appear with its content or not at all: readers wait for the file."""
    partial = url_file.with_name(url_file.name + ".partial")
    partial.write_text(url + "\n")
    partial.replace(url_file)


def _stop_at_end_of_stdin(stop: int) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        continue
    os.write(stop, b".")


def _settings(config: Path | None) -> dict[str, Any]:
    """The defaults, overridden by what the configuration file says, checked."""
    settings: dict[str, Any] = {"port": DEFAULT_PORT, "images": {}}
    if config is None:
        return settings
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
        "disk_budget": ("disk_budget", int),
        "redeliveries": ("redeliveries", int),
        "allow_host": ("allow_hosts", list),
        "allow_origin": ("allow_origins", list),
        "pass_env": ("pass_environment", list),
        "images": ("images", dict),
    }
    for name, value in raw.items():
        if name not in kinds or not _fits(value, kinds[name][1]):
            raise BadConfiguration(
                f"{config}: {name} = {value!r} is not a setting of sagemaker-local ({', '.join(kinds)})"
            )
        settings[kinds[name][0]] = value
    if "data_dir" in raw:
        settings["data_dir"] = config.parent / settings["data_dir"]
    settings["images"] = dict(
        _image_setting(config, name, value) for name, value in settings["images"].items()
    )
    return settings


def _fits(value: Any, kind: type | tuple[type, ...]) -> bool:
    words = value if isinstance(value, list) else []
    return isinstance(value, kind) and all(isinstance(word, str) for word in words)


def _image_setting(config: Path, name: str, value: Any) -> tuple[str, list[str]]:
    if isinstance(value, str):
        return parse_image_option(f"{name}={value}")
    if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        return name, value
    raise BadConfiguration(f"{config}: images.{name} must be a command line or a list of words")


def main() -> None:
    """Entry point."""
    _forget_aws_settings()
    app(prog_name="sagemaker-local")


if __name__ == "__main__":
    main()
