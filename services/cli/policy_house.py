"""The house whose policy is changed: one that runs at an address, or the one in a data folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

import httpx

from services.cli.installation import nothing_in, reached, refused
from services.router.policy_api import VersionLine, VersionList, find_version, list_versions
from shared.domain.commands import ApplyPolicy, Command
from shared.domain.errors import PolicyError, Problem, Refusal, Unavailable
from shared.domain.policy import PolicyVersion
from shared.observe import logs
from shared.settings import Settings

if TYPE_CHECKING:
    from services.embedded.house import House
    from shared.runtime.gateway import Gateway

PATIENCE = 60.0
"""Seconds that an answer may take: a trial of a policy has 20."""


class PolicyHouse(Protocol):
    """Where the versions of the policy are."""

    def versions(self) -> Sequence[VersionLine]:
        """All of them, the newest first."""

    def show(self, version: str) -> PolicyVersion:
        """A version by its number or name; raises `Refusal` where there is none."""

    def do(self, command: Command) -> Sequence[str]:
        """Have the router carry out a command; the types of the events that followed.

        Raises `Refusal` with every problem.
        """


def apply_to(house: PolicyHouse, file: str, command: ApplyPolicy) -> bool:
    """Apply a policy; whether it was not the newest already.

    Raises `PolicyError` that names the file and every problem.
    """
    try:
        return bool(house.do(command))
    except Refusal as refusal:
        raise PolicyError(file, refusal.problems) from refusal


@contextmanager
def policy_house(url: str | None, data: Path | None) -> Iterator[PolicyHouse]:
    """The running house at the address of its router; without one, that of the data folder."""
    if url is not None:
        with httpx.Client(base_url=url, timeout=PATIENCE) as client:
            yield _Remote(client)
        return
    from services.embedded.house import running  # noqa: PLC0415 - not needed with an address

    settings = Settings.read(None, **({} if data is None else {"data": data}))
    if settings.database() is None and not (settings.data / "router.sqlite").exists():
        raise nothing_in(f"the folder {settings.data}")
    logs.configure("warning")
    with running(settings) as house:
        yield _Local(house)


class _Remote:
    """A house that is reached over HTTP."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def versions(self) -> Sequence[VersionLine]:
        """See `PolicyHouse`."""
        return VersionList.model_validate(self._ask("GET", "/policies")).versions

    def show(self, version: str) -> PolicyVersion:
        """See `PolicyHouse`."""
        return PolicyVersion.model_validate(self._ask("GET", f"/policies/{quote(version)}"))

    def do(self, command: Command) -> Sequence[str]:
        """See `PolicyHouse`."""
        body = command.model_dump(mode="json", exclude_unset=True)
        events: list[str] = self._ask("POST", f"/commands/{command.type}", body)["events"]
        return events

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        with reached(f"{self._client.base_url}"):
            answer = self._client.request(method, path, json=body)
        url = f"{answer.request.url}"
        if answer.status_code == 503:
            raise Unavailable(f"{url} is not ready: try again in a moment")
        problems = _problems(answer)
        if problems:
            raise Refusal(problems)
        if answer.is_error:
            raise refused(url, answer)
        return answer.json()


def _problems(answer: httpx.Response) -> list[Problem]:
    if not answer.is_error or "problem+json" not in answer.headers.get("content-type", ""):
        return []
    return [Problem.model_validate(one) for one in answer.json().get("problems", ())]


class _Local:
    """A house that runs in this process for as long as the command takes."""

    def __init__(self, house: House) -> None:
        self._house = house

    def versions(self) -> Sequence[VersionLine]:
        """See `PolicyHouse`."""
        return list_versions(self._gateway).versions

    def show(self, version: str) -> PolicyVersion:
        """See `PolicyHouse`."""
        return find_version(self._gateway, version)

    def do(self, command: Command) -> Sequence[str]:
        """See `PolicyHouse`."""
        events = self._gateway.execute(command)
        self._house.quiet()
        return [event.type for event in events]

    @property
    def _gateway(self) -> Gateway:
        return self._house.hosts["router"].gateway
