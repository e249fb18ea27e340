"""Proofs about a policy, by a SAT solver, over all cases that can be.

Nothing here is needed to decide a case, and no service imports it: the solver takes 9 MB.
`check` is the way in.
"""
