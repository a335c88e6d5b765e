"""An S3 bucket in this process (moto's server), for the workers' own S3 client to work on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from moto.server import ThreadedMotoServer

from avatar_workers.storage import S3ObjectStorage

_REGION = "us-east-1"
_BUCKET = "people"


@contextmanager
def moto_bucket() -> Iterator[tuple[S3ObjectStorage, str]]:
    """Serve an empty bucket on a free port for the length of the `with`; yields storage and `s3://bucket/`."""
    # A line for every request would stand between the lines of a report.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        client = boto3.client(
            "s3",
            endpoint_url=f"http://{host}:{port}",
            region_name=_REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106  # moto takes any
        )
        client.create_bucket(Bucket=_BUCKET)
        yield S3ObjectStorage(client), f"s3://{_BUCKET}/"
    finally:
        server.stop()
