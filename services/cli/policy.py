"""The group of commands about the policy."""

from __future__ import annotations

import typer

from services.cli.policy_pictures import diagram, dmn

policy = typer.Typer(
    name="policy",
    help="The policy of the house: its picture, and its tables in other tools.",
    no_args_is_help=True,
)

policy.command("diagram")(diagram)
policy.add_typer(dmn)
