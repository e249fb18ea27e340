"""The group of commands about the policy; each small file of commands is registered here."""

from __future__ import annotations

import typer

from services.cli.policy_pictures import diagram, dmn
from services.cli.policy_proof import check, explain, schema
from services.cli.policy_scenarios import run_scenarios

policy = typer.Typer(
    name="policy",
    help="The policy of the house: prove it, explain what it decides, test it, draw it.",
    no_args_is_help=True,
)

for name, command in (
    ("check", check),
    ("explain", explain),
    ("test", run_scenarios),
    ("schema", schema),
    ("diagram", diagram),
):
    policy.command(name)(command)
policy.add_typer(dmn)
