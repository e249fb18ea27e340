"""A policy's decision tables as DMN 1.5, and back.

`tables_of(data)` reads the tables of a checked policy file, `to_dmn(tables, …)` writes them,
`read_dmn(…)` reads what a modeller saved, and `merge(…)` puts it into the policy's text. Pure.
"""

from shared.policy.dmn.errors import TablesUnusable
from shared.policy.dmn.export import to_dmn
from shared.policy.dmn.merge import merge
from shared.policy.dmn.read import read_dmn
from shared.policy.dmn.tables import DecisionTable, tables_of

__all__ = ["DecisionTable", "TablesUnusable", "merge", "read_dmn", "tables_of", "to_dmn"]
