"""What the docs say is there: links lead somewhere, commands and their options exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])

every_page = pytest.mark.parametrize(
    "page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES]
)


@every_page
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)", text)
    missing = [
        target
        for target in targets
        if "://" not in target and not (page.parent / target).resolve().exists()
    ]
    assert not missing


@every_page
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        words[1]
        for words in _commands(page)
        if words[0] == "make" and len(words) > 1 and "=" not in words[1]
    }
    assert named <= targets


@every_page
def test_every_concentric_command_exists_with_its_options(page: Path) -> None:
    for words in _commands(page):
        if words[0] != "concentric" or len(words) == 1:
            continue
        subcommands = []
        for word in words[1:]:
            if not re.fullmatch(r"[a-z]+", word):
                break
            subcommands.append(word)
            helped = CliRunner().invoke(app, [*subcommands, "--help"], env={"COLUMNS": "200"})
            if helped.exit_code != 0:
                subcommands.pop()
                break
        assert subcommands, f"no command in: {shlex.join(words)}"
        text = CliRunner().invoke(app, [*subcommands, "--help"], env={"COLUMNS": "200"}).output
        for option in (word.split("=")[0] for word in words if word.startswith("--")):
            assert option in text, f"{option} is no option of: concentric {' '.join(subcommands)}"


def _commands(page: Path) -> Iterator[list[str]]:
    """The commands in the page's shell blocks, one list of words each."""
    for block in re.findall(r"```(?:sh|bash|console)\n(.*?)```", page.read_text(), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith(("make", "concentric", "$ concentric", "$ make")):
                yield shlex.split(line.removeprefix("$ "), comments=True)
