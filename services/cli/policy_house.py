"""The house whose policy is changed: one that runs at an address, or the one in a data folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

import httpx

from services.cli.installation import content_of, home_of, nothing_in, reached
from services.router.policy_api import VersionLine, VersionList, find_version, list_versions
from shared.domain.commands import ApplyPolicy, CaseCommand, Command
from shared.domain.errors import PolicyError, Problem, Refusal, Unavailable
from shared.domain.policy import PolicyVersion
from shared.observe import logs
from shared.settings import Settings

if TYPE_CHECKING:
    from services.embedded.house import House
    from shared.runtime.gateway import Gateway

PATIENCE = 60.0
"""Seconds that an answer may take: a trial of a policy has 20."""

AT_ONCE = 200
"""Commands in one request."""


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

    def do_all(
        self, commands: Sequence[CaseCommand], tell: Callable[[int], None]
    ) -> Sequence[tuple[str, str]]:
        """The same for many of one type; the case and the reason of each that was refused.

        `tell` hears how many have been asked for.
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
def policy_house(urls: Sequence[str], data: Path | None) -> Iterator[PolicyHouse]:
    """The running house at the addresses, one of which is its router's; else the data folder's."""
    if urls:
        with httpx.Client(timeout=PATIENCE, follow_redirects=True) as client:
            client.base_url = home_of(client, urls, "router")
            yield _Remote(client)
        return
    from services.embedded.house import running  # noqa: PLC0415 - not needed with an address

    settings = Settings.read(None, **({} if data is None else {"data": data}))
    if settings.database() is None and not (settings.data / "router.sqlite").exists():
        raise nothing_in(f"the folder {settings.data}")
    logs.configure("warning")
    with running(settings) as house:
        yield _Local(house)


def ask(client: httpx.Client, method: str, path: str, body: Any = None) -> Any:
    """The JSON that an address answers.

    Raises `Refusal` with every problem, `Unavailable` and `ConfigurationError`.
    """
    with reached(f"{client.base_url}"):
        answer = client.request(method, path, json=body)
    url = f"{answer.request.url}"
    if answer.status_code == 503:
        raise Unavailable(f"{url} is not ready: try again in a moment")
    problems = _problems(answer)
    if problems:
        raise Refusal(problems)
    return content_of(url, answer)


class _Remote:
    """A house that is reached over HTTP."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def versions(self) -> Sequence[VersionLine]:
        """See `PolicyHouse`."""
        return VersionList.model_validate(ask(self._client, "GET", "/policies")).versions

    def show(self, version: str) -> PolicyVersion:
        """See `PolicyHouse`."""
        return PolicyVersion.from_plain(ask(self._client, "GET", f"/policies/{quote(version)}"))

    def do(self, command: Command) -> Sequence[str]:
        """See `PolicyHouse`."""
        body = command.model_dump(mode="json", exclude_unset=True)
        events: list[str] = ask(self._client, "POST", f"/commands/{command.type}", body)["events"]
        return events

    def do_all(
        self, commands: Sequence[CaseCommand], tell: Callable[[int], None]
    ) -> Sequence[tuple[str, str]]:
        """See `PolicyHouse`."""
        refusals = []
        for start in range(0, len(commands), AT_ONCE):
            part = commands[start : start + AT_ONCE]
            body = [command.model_dump(mode="json") for command in part]
            answers = ask(self._client, "POST", f"/commands/{part[0].type}/batch", body)
            for command, answer in zip(part, answers, strict=True):
                if answer["problems"]:
                    refusals.append((command.case_id, answer["problems"][0]["message"]))
            tell(start + len(part))
        return refusals


def _problems(answer: httpx.Response) -> list[Problem]:
    if not answer.is_error or "problem+json" not in answer.headers.get("content-type", ""):
        return []
    return [Problem.from_plain(one) for one in answer.json().get("problems", ())]


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

    def do_all(
        self, commands: Sequence[CaseCommand], tell: Callable[[int], None]
    ) -> Sequence[tuple[str, str]]:
        """See `PolicyHouse`."""
        refusals = []
        for start in range(0, len(commands), AT_ONCE):
            part = commands[start : start + AT_ONCE]
            for command, outcome in zip(part, self._gateway.execute_all(part), strict=True):
                if isinstance(outcome, Exception):
                    refusals.append((command.case_id, f"{outcome}"))
            tell(start + len(part))
        while not self._house.quiet(1.0):
            pass  # what Ctrl-C leaves goes on at the next start
        return refusals

    @property
    def _gateway(self) -> Gateway:
        return self._house.hosts["router"].gateway
