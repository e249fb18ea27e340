"""Commands that change the policy of a house, and list what it was."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from shared.domain.commands import ApplyPolicy
from shared.domain.errors import ConfigurationError, Refusal
from shared.domain.problems import problems_of
from shared.policy.load import read_bytes

if TYPE_CHECKING:
    from services.cli.policy_house import PolicyHouse
    from services.router.policy_api import VersionLine

# What speaks HTTP or starts a house takes a third of a second to import, which other commands need
# not pay: it is imported where it is used.

Url = Annotated[
    str | None, typer.Option(help="Address of a running installation, or of its router.")
]
Data = Annotated[Path | None, typer.Option(help="Folder of the data, by default ./var.")]
By = Annotated[str | None, typer.Option(help="Who does it, by default your login name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def apply(
    file: Annotated[Path, typer.Argument(help="The policy file.")],
    by: By = None,
    note: Annotated[str, typer.Option(help="Why, for whoever reads the list of versions.")] = "",
    url: Url = None,
    data: Data = None,
) -> None:
    """Make a policy the house's, while it runs: every service takes it over at the same moment.

    Example: concentric policy apply house.yaml --by "Li Na" --url http://127.0.0.1:8080

    It is loaded and tried first, in a process of its own; what is wrong is told with line and
    column, and the running policy stays. Without --url it is applied to the data folder, while
    nothing runs there.
    """
    from services.cli.policy_house import apply_to, policy_house  # noqa: PLC0415 - see above

    command = _command(text_of(file), by, note)
    with policy_house([url] if url else [], data) as house:
        with trying():
            applied = apply_to(house, f"{file}", command)
        _tell(house, applied=applied)


def versions(url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """List every policy that was applied: its number, its version, by whom, when.

    Example: concentric policy versions --url http://127.0.0.1:8080
    """
    from services.cli.policy_house import policy_house  # noqa: PLC0415
    from services.router.policy_api import VersionList  # noqa: PLC0415

    with policy_house([url] if url else [], data) as house:
        found = house.versions()
    if as_json:
        typer.echo(VersionList(versions=list(found)).model_dump_json(indent=2))
        return
    table = Table()
    for column in ("number", "version", "by", "at", "in force", "note"):
        table.add_column(column, overflow="fold")
    for one in found:
        since = "now" if one.in_force else ""
        cells = (one.number, one.version, one.by, _moment(one.at), since, one.note)
        table.add_row(*(escape(f"{cell}") for cell in cells))
    Console().print(table)


def show(
    version: Annotated[str, typer.Argument(help="Its number or its version.")],
    url: Url = None,
    data: Data = None,
) -> None:
    """Print the content of a policy that was applied, byte for byte.

    Example: concentric policy show 2 --url http://127.0.0.1:8080 > before.yaml
    """
    from services.cli.policy_house import policy_house  # noqa: PLC0415

    with policy_house([url] if url else [], data) as house:
        found = house.show(version)
    typer.get_binary_stream("stdout").write(found.content.encode())


def rollback(
    version: Annotated[
        str | None,
        typer.Argument(help="Its number or its version; left out, the one before the newest."),
    ] = None,
    by: By = None,
    url: Url = None,
    data: Data = None,
) -> None:
    """Apply a former policy again, as a new number; nothing of what happened is rewritten.

    Example: concentric policy rollback --by "Li Na" --url http://127.0.0.1:8080

    Cases that were decided meanwhile stay as they were decided.
    """
    from services.cli.policy_house import apply_to, policy_house  # noqa: PLC0415

    with policy_house([url] if url else [], data) as house:
        former = house.show(version or _before(house.versions()))
        command = _command(former.content, by, f"rollback to number {former.number}")
        with trying():
            applied = apply_to(house, former.version, command)
        _tell(house, applied=applied)


def trying() -> Status:
    """Says on standard error what is waited for, where somebody looks at it."""
    return Console(stderr=True).status("The policy is tried …")


def _command(content: str, by: str | None, note: str) -> ApplyPolicy:
    try:
        return ApplyPolicy(content=content, by=by or getpass.getuser(), note=note)
    except ValidationError as error:
        raise Refusal(problems_of(error)) from error


def _before(found: Sequence[VersionLine]) -> str:
    """The number of the newest version whose content is not the newest's."""
    for one in found:
        if one.checksum != found[0].checksum:
            return f"{one.number}"
    raise ConfigurationError("There is no former policy: this house has had one alone.")


def _tell(house: PolicyHouse, *, applied: bool) -> None:
    newest = house.versions()[0]
    name = f"{newest.version}, number {newest.number}"
    if applied:
        typer.echo(f"{name}: in force from {_moment(newest.effective_at)} on")
    else:
        typer.echo(f"{name}: that is the policy already, nothing has changed")


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def text_of(file: Path) -> str:
    """A policy file's content; raises `ConfigurationError` or `PolicyError`."""
    content = read_bytes(file)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not text in UTF-8: {error}.") from error
