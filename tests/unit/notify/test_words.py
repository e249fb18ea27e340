"""The words of messages: both languages, every event, nothing that the policy does not show."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from services.notify import day_list, mail, webhook
from services.notify.notices import Notice, Told, Watch
from services.notify.render import Words
from shared.domain.notices import Messages, Way
from shared.outside import Endpoint
from shared.policy.schema.vocabulary import HAPPENINGS
from tests.support.house import SmallPolicy, at, routed
from tests.support.outside import OLDER_SECRET, SECRET

POLICY = SmallPolicy()
LINK = "https://ledger.example/{case_id}?view={x}"
NOW = at("2026-03-03 10:00").astimezone(UTC)


def notice(event: str = "case.routed", way: Way = Way.MAIL, **changes: object) -> Notice:
    told = Told(case_id="case-1", event=event, colour="red", unit="north", round=1, due_at=NOW).but(
        **changes
    )
    return Notice(
        id="id-1",
        case_id="case-1",
        event=event,
        way=way,
        to="duty@house.example.org",
        role="unit",
        unit="north",
        row="red",
        colour="red",
        urgency=0,
        told=told,
        happened_at=NOW,
        planned_at=NOW,
        next_at=NOW,
    )


def words(*languages: str, url: str | None = LINK) -> Words:
    return Words(SmallPolicy(messages=Messages(languages=languages or ("zh", "en"))), url)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_event_has_its_own_words_in_each_language(language: str) -> None:
    subjects = [words(language).mail(notice(event))[0] for event in HAPPENINGS]
    assert len(set(subjects)) == len(HAPPENINGS)
    assert all(subjects)


def test_a_mail_says_what_where_by_when_in_both_languages() -> None:
    subject, text = words().mail(notice("case.due-soon", days_left=2))
    assert subject == "【red】事项即将到期：north / [Red] A case is due soon: north"
    assert "答复期限：2026-03-03（还有 2 个工作日）\n" in text
    assert "Due:    2026-03-03 (2 working days left)\n" in text
    assert text.count("https://ledger.example/case-1?view={x}") == 2
    assert "\n\n\n" not in text


def test_what_is_not_known_or_not_shown_is_left_out() -> None:
    _, text = words("en", url=None).mail(notice(due_at=None))
    assert text == "A case has to be answered.\n\nUnit:   north\nColour: Red\nCase:   case-1\n"


def test_an_escalation_says_to_whom_and_a_round_which() -> None:
    _, text = words("en").mail(notice("case.escalated", step=2, to_unit="leaders", round=3))
    assert "Goes to leaders (step 2)\n" in text
    assert "Round 3\n" in text


def test_what_a_case_says_stands_in_a_mail_as_it_is() -> None:
    subject = "<b>{{ 7 * 7 }}</b> & 停电"
    made, text = words("en").mail(notice(subject=subject))
    assert f"Matter: {subject}\n" in text
    assert subject not in made


def test_a_mail_is_marked_as_a_programs_and_has_its_id_for_ever() -> None:
    letter = mail.letter(notice(), words(), "ledger@house.example.org")
    assert letter["Message-ID"] == "<id-1@house.example.org>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Importance"] == "high"
    assert letter["From"].addresses[0].addr_spec == "ledger@house.example.org"
    assert "新事项须办理" in letter.get_content()
    assert letter.as_bytes().isascii()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_list_names_each_case_with_its_day_and_link(language: str) -> None:
    due = {"a": "2026-03-02 23:00", "b": "2026-03-03 23:00", "c": "2026-03-06 23:00"}
    cases = [
        Watch(case_id=name, handling=routed(name), due_at=at(day)) for name, day in due.items()
    ]
    [made] = day_list.notices(cases, POLICY, NOW)
    subject, text = words(language).mail(made)
    assert "2026-03-03" in subject
    for name, day in due.items():
        [line] = [line for line in text.splitlines() if f"https://ledger.example/{name}?" in line]
        assert day[:10] in line
    assert "\n\n\n" not in text


def test_a_webhook_tells_what_happened_as_the_specification_says() -> None:
    body = json.loads(words().webhook(notice(way=Way.WEBHOOK, subject="停电")))
    assert (body["type"], body["timestamp"]) == ("case.routed", "2026-03-03T02:00:00+00:00")
    assert body["data"] == {
        "case_id": "case-1",
        "colour": "red",
        "unit": "north",
        "round": 1,
        "answer_owed": True,
        "due_at": "2026-03-03T02:00:00Z",
        "days_left": None,
        "step": None,
        "to_unit": None,
        "clock": "reply",
        "subject": "停电",
        "role": "unit",
        "told_unit": "north",
        "link": "https://ledger.example/case-1?view={x}",
    }


def test_a_signature_is_the_specifications_and_dies_with_any_change() -> None:
    endpoint = Endpoint(url="https://hooks.example/", secrets=(SECRET, OLDER_SECRET))
    now, body = datetime.now(UTC), words().webhook(notice(way=Way.WEBHOOK))
    headers = dict(webhook.signed(endpoint, "id-1", body, now))
    for secret in endpoint.secrets:
        assert Webhook(secret).verify(body, headers)
    for changed in (
        (body.replace(b"red", b"green"), headers),
        (body, {**headers, "webhook-id": "id-2"}),
        (body, {**headers, "webhook-timestamp": f"{int(now.timestamp()) + 1}"}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(*changed)


def test_every_template_is_installed_with_the_package() -> None:
    folder = Path(mail.__file__).parent / "messages"
    kinds = {f"{kind}.{language}.txt" for kind in ("case", "list") for language in ("zh", "en")}
    assert {each.name for each in folder.iterdir()} == kinds
