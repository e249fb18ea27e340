"""Structured logs: one JSON object a line, with case and correlation ids, without personal data."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import PurePath
from typing import Any

# structlog loads rich for a coloured console that we do not use: 4 MB in every service. Where it
# finds no rich it does without, so it is not shown any.
_modules: dict[str, Any] = sys.modules
_rich = _modules.setdefault("rich", None)
import structlog  # noqa: E402

if _rich is None:
    del _modules["rich"]

Logger = structlog.typing.FilteringBoundLogger


def configure(level: str) -> None:
    """Send every log, ours and the libraries', to standard error as JSON lines. Called once."""
    chosen = getattr(logging, level.upper())
    common: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*common, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(chosen),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *common],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(chosen)
    # What these libraries say at INFO is noise to whoever runs the house.
    for chatty in ("pika", "alembic", "uvicorn.access", "httpx"):
        logging.getLogger(chatty).setLevel(max(chosen, logging.WARNING))
    # It would repeat errors that we have logged, with their messages.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)


def logger(service: str) -> Logger:
    """The logger of a service."""
    bound: Logger = structlog.get_logger().bind(service=service)
    return bound


def place_of(error: BaseException) -> str:
    """What kind of error was raised where: all that a log may say of an unforeseen one.

    Messages of errors quote what they met, which may be somebody's name or words.
    """
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    places = " > ".join(f"{PurePath(each.filename).name}:{each.lineno}" for each in frames)
    return f"{type(error).__name__} at {places}"
