"""The group of commands about the policy."""

from __future__ import annotations

import typer

from services.cli.policy_change import apply, rollback, show, versions
from services.cli.policy_migrate import migrate
from services.cli.policy_replay import replay
from services.cli.policy_shadow import shadow

policy = typer.Typer(
    name="policy",
    help="The policy of the house: its versions, and what a change of it would do.",
    no_args_is_help=True,
)

for name, command in (
    ("apply", apply),
    ("versions", versions),
    ("show", show),
    ("rollback", rollback),
    ("migrate", migrate),
    ("replay", replay),
    ("shadow", shadow),
):
    policy.command(name)(command)
