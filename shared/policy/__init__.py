"""The policy file: read, checked, compiled, swapped while running.

`load_policy(path)` gives a `CompiledPolicy`, which implements `shared.domain.policy.Policy`;
`PolicyHolder(path)` holds the running one; `rehearse(path)` tries a candidate in a child process.
"""

from shared.policy.holder import PolicyHolder
from shared.policy.load import load_policy, parse_policy
from shared.policy.policy import CompiledPolicy
from shared.policy.trying.rehearsal import rehearse

__all__ = ["CompiledPolicy", "PolicyHolder", "load_policy", "parse_policy", "rehearse"]
