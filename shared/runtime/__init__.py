"""The machine that every service is: batches in, one transaction, events out."""
