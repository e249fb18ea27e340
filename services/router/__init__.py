"""The router owns a case's handling: triage, assignment, acceptance, transfer, answer."""
