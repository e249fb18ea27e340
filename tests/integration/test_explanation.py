"""The router explains each recorded case over HTTP, by the version that decided it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services.router.service import ROUTER
from shared.domain.commands import TransferCase
from shared.domain.events import CaseRecorded
from shared.domain.ids import new_id
from shared.policy.holder import PolicyHolder
from tests.support.machine import POLICIES, Machine, machine, recorded, storage_of
from tests.support.serving import serving


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_bytes((POLICIES / "message-board.yaml").read_bytes())
    return path


@pytest.fixture
def policy(policy_file: Path) -> PolicyHolder:
    return PolicyHolder(policy_file, rehearsal=None)


@pytest.fixture
def router(policy: PolicyHolder, tmp_path: Path) -> Iterator[Machine]:
    with machine(ROUTER, storage_of(ROUTER, tmp_path), policy, tmp_path) as running:
        yield running
