"""Logs as JSON lines that carry the resource's key, so that one query finds all that was done for one object.

The key travels in context variables: whoever starts work for an object binds it once with `resource_log_context`, and
every line logged below, in the same thread or task, carries it. Libraries' own `logging` records take the same road.
"""

import logging
import sys
from contextlib import AbstractContextManager

import structlog

from avatar_api.documents.training import ObjectIdentity


def configure_logging(level: int = logging.INFO) -> None:
    """Send structlog's and the standard library's records to stderr as JSON lines."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("botocore", "urllib3", "s3transfer", "httpx", "diffusers", "transformers"):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))


def resource_log_context(model: ObjectIdentity, **more: str | int) -> AbstractContextManager[None]:
    """Bind an object's key (and what else identifies the work) to every line logged inside the `with`."""
    return structlog.contextvars.bound_contextvars(
        namespace=model.namespace, name=model.name, uid=model.uid, **more
    )
