"""The reckonings on the page about deadlines are those of the command, of real messages."""

from __future__ import annotations

import re
import shlex
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from services.cli.main import app
from tests.support.house import ZONE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "deadlines.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"^### Message (\d+)\n.*?```console\n\$ (.*?[^\\])\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL
)


@pytest.mark.parametrize(("message", "command", "shown"), EXAMPLES)
def test_the_command_prints_what_the_page_shows(
    message: str, command: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    printed = CliRunner().invoke(app, shlex.split(command.replace("\\\n", " "))[1:])
    assert printed.output == shown


def test_there_are_ten_with_the_festivals_and_a_make_up_saturday() -> None:
    assert len({message for message, _, _ in EXAMPLES}) == 10
    together = "".join(shown for _, _, shown in EXAMPLES)
    for wanted in ("春节", "国庆节", "Chinese New Year", "National Day", "Sat   3      make-up"):
        assert wanted in together


def test_the_messages_are_those_of_the_board(message_board: Path) -> None:
    book = load_workbook(message_board / "message-board-2011-2020.xlsx", read_only=True)
    rows = list(book.worksheets[0].iter_rows(min_row=2, values_only=True))
    book.close()
    moments = {f"{row[0]}": (f"{row[3]}", f"{row[6]}") for row in rows}
    for message, command, _ in EXAMPLES:
        words = shlex.split(command.replace("\\\n", " "))
        given = [datetime.fromisoformat(word) for word in words if word.endswith("+08:00")]
        assert given == [
            datetime.strptime(text, "%Y/%m/%d %H:%M:%S").replace(tzinfo=ZONE)
            for text in moments[message]
        ]
