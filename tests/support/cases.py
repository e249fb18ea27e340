"""Cases by the number, as a client sends them."""

from __future__ import annotations


def plain_case(number: int) -> dict[str, object]:
    """Every third case comes with its answer, every tenth is information and owes none."""
    case: dict[str, object] = {
        "source": "load",
        "external_id": f"{number}",
        "channel": "message-board",
        "subject": f"case {number}",
        "text": "路灯坏了",
        "recorded_at": "2026-03-02T09:00:00+08:00",
        "informant": {"ref": f"user-{number}"},
    }
    if number % 3 == 1:
        case["answer"] = {"text": "fixed", "at": "2026-03-05T09:00:00+08:00"}
    if number % 10 == 5:
        case["kind"] = "information"
    return case
