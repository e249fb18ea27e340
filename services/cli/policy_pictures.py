"""Commands that show a policy in the notations of the field: BPMN, SVG and DMN."""

from __future__ import annotations

import shutil
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from shared.domain.errors import ConfigurationError

MAX_BYTES = 5_000_000
"""Of a DMN file that is read."""


class Format(StrEnum):
    """How the picture is written."""

    BPMN = "bpmn"
    SVG = "svg"


class Language(StrEnum):
    """In which language the picture speaks."""

    ZH = "zh"
    EN = "en"


class Version(StrEnum):
    """Versions of DMN that are written."""

    V1_5 = "1.5"
    V1_3 = "1.3"


PolicyFile = Annotated[Path, typer.Argument(help="The policy file.")]
Out = Annotated[
    Path | None, typer.Option("--output", "-o", help="Where to write it; left out, it is printed.")
]

dmn = typer.Typer(
    name="dmn",
    help="The policy's decision tables as DMN, for modellers that edit them.",
    no_args_is_help=True,
)


def diagram(
    file: PolicyFile,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="By default that of the output's name, else bpmn."),
    ] = None,
    lang: Annotated[Language, typer.Option(help="Language of the picture.")] = Language.EN,
    output: Out = None,
) -> None:
    """Draw the flow of a case under a policy: BPMN 2.0 for modellers, SVG for pages.

    Example: concentric policy diagram examples/policies/xiaoshan.yaml --lang zh -o flow.svg

    Colours, limits, warnings, steps of the levels, escalation, rating and rounds are those of the
    file: another policy gives another picture.
    """
    # what draws and checks is not needed by other commands
    from shared.policy.bpmn import draw, to_svg, to_xml  # noqa: PLC0415
    from shared.policy.load import load_policy  # noqa: PLC0415

    picture = draw(load_policy(file).document, lang.value)
    if form is None:
        named_svg = output is not None and output.suffix.lower() == ".svg"
        form = Format.SVG if named_svg else Format.BPMN
    _put(to_svg(picture) if form is Format.SVG else to_xml(picture), output)


@dmn.command("export")
def export_tables(
    file: PolicyFile,
    version: Annotated[
        Version, typer.Option(help="Some modellers, such as Camunda's, read 1.3 only.")
    ] = Version.V1_5,
    output: Out = None,
) -> None:
    """Write the policy's decision tables as DMN.

    Example: concentric policy dmn export examples/policies/xiaoshan.yaml -o xiaoshan.dmn
    """
    from shared.policy import source  # noqa: PLC0415 - as above
    from shared.policy.dmn import tables_of, to_dmn  # noqa: PLC0415
    from shared.policy.load import parse_policy, read_bytes  # noqa: PLC0415

    content = read_bytes(file)
    document = parse_policy(f"{file}", content).document
    tables = tables_of(source.read(f"{file}", content).data)
    _put(to_dmn(tables, document.policy, document.title.en, version.value), output)


@dmn.command("import")
def import_tables(
    file: Annotated[Path, typer.Argument(help="The DMN file, as a modeller saved it.")],
    into: Annotated[Path, typer.Option(help="The policy file whose tables are replaced.")],
) -> None:
    """Put decision tables that were edited as DMN into a policy file.

    Example: concentric policy dmn import xiaoshan.dmn --into policy.yaml

    Rows that say what they said before keep their text and comments, and so does the rest of the
    file. The policy is checked as a whole before it is written; if it cannot be used, or a table
    says what a policy cannot, the file stays as it was.
    """
    from shared.policy import source  # noqa: PLC0415 - as above
    from shared.policy.dmn import merge, read_dmn, tables_of  # noqa: PLC0415
    from shared.policy.load import parse_policy, read_bytes  # noqa: PLC0415

    content = read_bytes(into)
    parse_policy(f"{into}", content)
    before = tables_of(source.read(f"{into}", content).data)
    names = {rule.name for table in before for rule in table.rules}
    tables = read_dmn(f"{file}", _content(file), names)
    merged = merge(f"{into}", content, tables)
    parse_policy(f"{into}, with the tables of {file},", merged)
    known = {table.name: table for table in before}
    changed = [
        table.name
        for table in tables
        if table.name not in known or not known[table.name].same_as(table)
    ]
    if not changed:
        typer.echo(f"{into} says all this already: nothing was written.")
        return
    _replace(into, merged)
    typer.echo(f"{into} has been written: {', '.join(changed)}.")


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from error


def _put(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ConfigurationError(f"{output} cannot be written: {error.strerror}.") from error


def _replace(path: Path, content: bytes) -> None:
    """The new content in one step: whoever reads the policy meanwhile reads the old one whole."""
    target = path.resolve()
    fresh = target.with_name(f".{target.name}.new")
    try:
        fresh.write_bytes(content)
        shutil.copymode(target, fresh)
        fresh.replace(target)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}.") from error
