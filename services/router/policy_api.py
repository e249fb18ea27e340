"""The versions of the policy over HTTP: which there are, and what each says."""

from __future__ import annotations

from pydantic import BaseModel

from shared.domain.errors import NotFound
from shared.domain.model import Instant
from shared.domain.policy import PolicyVersion
from shared.runtime.gateway import Gateway
from shared.runtime.routes import Routes
from shared.runtime.versions import every, find, in_force


class VersionLine(BaseModel):
    """A version of the policy in the list."""

    number: int
    version: str
    checksum: str
    """SHA-256 of the content."""
    by: str
    note: str
    at: Instant
    effective_at: Instant
    in_force: bool


class VersionList(BaseModel):
    """All versions, the newest first."""

    versions: list[VersionLine]


def policy_routes(gateway: Gateway) -> Routes:
    """The routes of the policy's versions; `POST /commands/apply-policy` makes one."""
    routes = Routes("router")

    @routes.get("/policies")
    def versions() -> VersionList:
        """Every version that was ever applied, with who did it and when."""
        return list_versions(gateway)

    @routes.get("/policies/{version}")
    def version(version: str) -> PolicyVersion:
        """One version with its content, by its number or by its name."""
        return find_version(gateway, version)

    return routes


def list_versions(gateway: Gateway) -> VersionList:
    """Every version, and which one is in force."""
    now = gateway.context.now
    with gateway.read() as connection:
        current = next((stored.number for stored in in_force(connection, now)), 0)
        lines = [_line(stored, current) for stored in every(connection)]
    return VersionList(versions=lines)


def find_version(gateway: Gateway, version: str) -> PolicyVersion:
    """One version; raises `NotFound`."""
    with gateway.read() as connection:
        stored = find(connection, version)
    if stored is None:
        reason = f"no policy {version!r} was ever applied here: look at the list of versions"
        raise NotFound.of("version", "unknown-policy", reason)
    return stored


def _line(stored: PolicyVersion, current: int) -> VersionLine:
    facts = stored.plain()
    del facts["content"]
    return VersionLine(**facts, in_force=stored.number == current)
