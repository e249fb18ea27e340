"""kill -9 of each service between a message and its effects: nothing is lost or done twice."""

from __future__ import annotations

from time import monotonic, sleep

import pytest

from services.embedded.catalogue import NAMES
from tests.support.afflicted import STEPS
from tests.support.installation import Installation

SILENT = {"notify", "ledger"}
"""Services that publish nothing about these cases, so that they have no step beyond the commit."""

PUBLISHING = {"before-publish", "before-confirm", "before-delete"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("step", STEPS)
def test_each_service_may_die_at_each_step(installation: Installation, step: str) -> None:
    mortals = [name for name in NAMES if step not in PUBLISHING or name not in SILENT]
    for name in NAMES:
        (installation.folder / f"{name}.die").write_text(f"{step} 2", encoding="utf-8")
    left = list(mortals)
    with installation.busy():
        until = monotonic() + 120
        while left and monotonic() < until:
            for name in [each for each in left if installation.running[each].code is not None]:
                assert installation.running[name].code == -9, installation.running[name].said
                installation.running[name].launch()
                left.remove(name)
            sleep(0.02)
        for process in installation.running.values():
            process.wait_ready()
    assert not left, f"{left} never came to the step {step}"
    for name in set(NAMES) - set(mortals):
        (installation.folder / f"{name}.die").unlink()  # which says that the step was not passed
    installation.all_is_well()
