"""The group of commands about the policy; each small file of commands is registered here."""

from __future__ import annotations

import typer

from services.cli.policy_change import apply, rollback, show, versions
from services.cli.policy_migrate import migrate
from services.cli.policy_pictures import diagram, dmn
from services.cli.policy_proof import check, explain, schema
from services.cli.policy_replay import replay
from services.cli.policy_scenarios import run_scenarios
from services.cli.policy_shadow import shadow

policy = typer.Typer(
    name="policy",
    help="The policy of the house: prove, explain, test, draw, replay and change it.",
    no_args_is_help=True,
)

for name, command in (
    ("check", check),
    ("explain", explain),
    ("test", run_scenarios),
    ("schema", schema),
    ("diagram", diagram),
    ("replay", replay),
    ("shadow", shadow),
    ("apply", apply),
    ("versions", versions),
    ("show", show),
    ("rollback", rollback),
    ("migrate", migrate),
):
    policy.command(name)(command)
policy.add_typer(dmn)
