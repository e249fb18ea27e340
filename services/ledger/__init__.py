"""The ledger owns memory: a hash-chained journal of all events, dossiers, search and reports."""
