"""The pictures in the docs are those that the commands draw."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.main import app

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("language", "name"), [("en", "policy-xiaoshan"), ("zh", "policy-xiaoshan-zh")]
)
def test_the_picture_of_the_shipped_policy_is_up_to_date(language: str, name: str) -> None:
    policy = ROOT / "examples" / "policies" / "xiaoshan.yaml"
    words = ["policy", "diagram", f"{policy}", "--format", "svg", "--lang", language]
    drawn = CliRunner().invoke(app, words).output
    kept = (ROOT / "docs" / "images" / f"{name}.svg").read_text(encoding="utf-8")
    assert drawn == kept, f"draw it anew: concentric {' '.join(words)} -o docs/images/{name}.svg"
