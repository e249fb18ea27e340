"""From the recording of a red case to those who have to act, through the whole house."""

from __future__ import annotations

import json
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest

from services.embedded.house import House
from shared.settings import Settings
from tests.support.lived import served
from tests.support.machine import POLICIES
from tests.support.outside import SECRET, mail_server, receiver

RED = {
    "source": "hotline",
    "external_id": "2026-000123",
    "channel": "customer-hotline",
    "item": "unplanned-outage",
    "subject": "No power in the ward",
    "recorder": "clerk-7",
    "informant": {"ref": "caller-77", "name": "Ms Li", "contact": "13800000000"},
    "attributes": {"customer": "hospital"},
}


def test_a_red_case_reaches_whoever_has_to_act_within_seconds_and_names_nobody(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with mail_server() as (box, smtp), receiver() as (heard, hook):
        endpoint = {"url": f"http://127.0.0.1:{hook}/", "secrets": [SECRET]}
        settings = Settings.read(
            {
                "CONCENTRIC_SMTP_URL": f"smtp+plain://127.0.0.1:{smtp}",
                "CONCENTRIC_WEBHOOKS": json.dumps({"control-room": endpoint}),
            },
            data=tmp_path,
            policy=POLICIES / "xiaoshan.yaml",
            drain=5.0,
        )
        house = House(settings)
        house.start()
        try:
            with (
                served(house) as address,
                httpx.Client(trust_env=False, base_url=f"http://{address}") as client,
            ):
                began = monotonic()
                case_id = client.post("/commands/submit-case", json=RED).json()["case_id"]
                while len(box.mails) < 3 or not heard.taken:
                    assert monotonic() - began < 15
                    sleep(0.01)
                seconds = monotonic() - began
                assert house.quiet(20)
                shown = client.get(f"/cases/{case_id}/notifications").json()["notifications"]
                while any(each["state"] == "waiting" for each in shown):
                    shown = client.get(f"/cases/{case_id}/notifications").json()["notifications"]
                assert house.quiet(20)
                entries = client.get("/journal").text.splitlines()
                # the policy itself says where units are reached
                history = "".join(line for line in entries if "policy.applied" not in line)
                metrics = client.get("/metrics").text
        finally:
            house.stop()
    assert seconds < 5
    assert {each["To"] for each in box.mails} == {
        "duty@xiaoshan.example.org",
        "bureau@xiaoshan.example.org",
        "clerk-7@xiaoshan.example.org",
    }
    assert [body["data"]["unit"] for _, body in heard.taken] == ["emergency-repair"]
    assert [each["tries"] for each in shown] == [1, 1, 1, 1]
    assert history.count("notification.delivered") == 4
    told = "".join(each.as_string() + each.get_content() for each in box.mails)
    for personal in ("Ms Li", "13800000000", "No power in the ward"):
        assert personal not in told + f"{heard.taken}" + metrics
    assert "xiaoshan.example.org" not in metrics + history + "".join(capfd.readouterr())
