"""The services by their names."""

from __future__ import annotations

from importlib import import_module

from shared.runtime.service import Service

NAMES = ("intake", "router", "deadline", "evaluation", "notify", "ledger")
"""The services of the house, in the order in which a case meets them."""


def load(name: str) -> Service:
    """The descriptor of a service; imported only now, so that one service costs only its own."""
    service: Service = getattr(import_module(f"services.{name}.service"), name.upper())
    return service
