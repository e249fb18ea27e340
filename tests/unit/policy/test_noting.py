"""A faulty decision is counted each time and logged once, without what an error may quote."""

from __future__ import annotations

from structlog.testing import capture_logs

from shared.observe.metrics import Metrics
from shared.policy.engine.durable import Fault
from shared.runtime.main import noting


def test_faults_are_counted_each_time_and_logged_once() -> None:
    metrics = Metrics()
    with capture_logs() as logged:
        note = noting(metrics)
        for _ in range(3):
            note(Fault("overlap", "`few` and `many` of triage both match"))
            note(Fault("engine", "ValueError: Zhang Wei is no number"))
    assert [(entry["kind"], entry["reason"]) for entry in logged] == [
        ("overlap", "`few` and `many` of triage both match"),
        ("engine", "ValueError"),
    ]
    counted = {
        sample.labels["reason"]: sample.value
        for family in metrics.policy_fallbacks.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    }
    assert counted == {"engine": 3.0, "overlap": 3.0}
