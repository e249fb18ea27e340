"""The notify service tells people outside the ledger: by mail and by webhook."""
