"""What docs/import.md explains is what there is."""

from pathlib import Path

import pytest

from services.intake.importing.mapping import PLAIN_FIELDS, Format, Mapping
from services.intake.importing.refused import COLUMN, REASON, ROW, TEXT
from services.intake.importing.run import Summary

DOCS = (Path(__file__).parents[3] / "docs" / "import.md").read_text(encoding="utf-8")

NAMES = (
    *(name for name in Mapping.model_fields if name != "format"),
    *(f"format.{name}" for name in Format.model_fields),
    *PLAIN_FIELDS,
    *Summary.model_fields,
    *(ROW, COLUMN, REASON, TEXT),
)


@pytest.mark.parametrize("name", sorted(set(NAMES)))
def test_every_key_field_and_figure_of_an_import_is_explained(name: str) -> None:
    assert f"`{name}`" in DOCS
