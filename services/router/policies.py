"""Applying a policy: tried first, then numbered, kept, and told to every service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from services.router.store import POLICY_HEAD, PolicyHead
from shared.domain.commands import ApplyPolicy
from shared.domain.errors import ConfigurationError, PolicyError, Problem, Refusal, Unavailable
from shared.domain.events import Event, PolicyApplied
from shared.domain.policy import PolicyVersion, checksum, key_of
from shared.policy.load import parse_policy, read_bytes
from shared.policy.trying.rehearsal import Trials
from shared.runtime.gateway import Gateway
from shared.runtime.handling import Context
from shared.runtime.versions import POLICIES
from shared.storage.tx import Tx

LEAD = timedelta(seconds=3)
"""From the commit until the version is in force: time for every service to hear and compile it."""

HEAD = PolicyHead().name

TRIALS = Trials()

ABSENT = (0, 0, 0)
"""The stamp of a file that is not there."""


def try_policy(command: ApplyPolicy, ctx: Context) -> None:
    """Try a candidate where somebody can wait for it; the handler then finds it tried."""
    if not _runs(checksum(command.content), ctx):
        TRIALS.hold(command.content)


def apply_policy(command: ApplyPolicy, tx: Tx, ctx: Context) -> Sequence[Event]:
    """Number, keep and tell a candidate that passed its trial; what is applied already stays."""
    head = tx.get(POLICY_HEAD, HEAD)
    if head is None:
        raise ConfigurationError(
            "The row that numbers the policies is missing: restore the router's database."
        )
    mark = checksum(command.content)
    if command.watched:
        if mark == head.file:
            return ()  # another replica has seen the same change
        head = head.but(file=mark)
    newest = tx.get(POLICIES, key_of(head.number)) if head.number else None
    if newest is not None and newest.checksum == mark:
        tx.put(POLICY_HEAD, head)
        return ()
    policy = _next(command, mark, newest, ctx)
    tx.put(POLICIES, policy)
    tx.put(POLICY_HEAD, head.but(number=policy.number))
    return [PolicyApplied(policy=policy)]


def _next(
    command: ApplyPolicy, mark: str, newest: PolicyVersion | None, ctx: Context
) -> PolicyVersion:
    """The version that a command makes; raises `Refusal` with all that is wrong with it."""
    # what the house runs on already was tried by that
    running = _runs(mark, ctx)
    effective = ctx.now if running and newest is None else ctx.now + LEAD
    return PolicyVersion(
        number=newest.number + 1 if newest else 1,
        version=ctx.policy.version if running else TRIALS.passed(command.content),
        checksum=mark,
        content=command.content,
        by=command.by,
        note=command.note,
        at=ctx.now,
        # the clocks of two routers may differ, the order of the numbers may not
        effective_at=max(effective, newest.effective_at) if newest else effective,
    )


def _runs(mark: str, ctx: Context) -> bool:
    return ctx.policy.version.endswith(f"@{mark[:12]}")


def watch_file(gateway: Gateway, path: Path) -> Callable[[], None]:
    """What looks whether the house's own file has changed, and then applies it.

    It raises `PolicyError` where the file cannot be used; the same bad file is told once.
    """
    seen: tuple[int, int, int] | None = None

    def look() -> None:
        nonlocal seen
        stamp = stamp_of(path)
        if stamp == seen:
            return
        seen, before = stamp, seen
        if stamp == ABSENT and before is None:
            return  # the house began with a stored version: it needs no file
        try:
            command = _command(path)
            if checksum(command.content) != _file_seen(gateway):  # else no trial is needed
                gateway.execute(command)
        except Unavailable:
            seen = before
        except Refusal as refused:
            raise PolicyError(f"{path}", refused.problems) from refused

    return look


def _file_seen(gateway: Gateway) -> str:
    with gateway.read() as connection:
        body = connection.scalar(sa.select(POLICY_HEAD.table.c.body))
    return POLICY_HEAD.parse(body).file if body else ""


def _command(path: Path) -> ApplyPolicy:
    content = read_bytes(path)
    try:
        by = f"file {path.name}"[:200]
        return ApplyPolicy(content=content.decode(), by=by, watched=True)
    except ValueError as error:  # too long, or no UTF-8
        parse_policy(f"{path}", content)
        raise PolicyError(f"{path}", [Problem(field="", code="bad", message=f"{error}")]) from error


def stamp_of(path: Path) -> tuple[int, int, int]:
    """What changes with every way of writing a file."""
    try:
        status = path.stat()
    except OSError:
        return ABSENT
    return (status.st_mtime_ns, status.st_size, status.st_ino)
