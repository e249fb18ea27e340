"""The deadline service owns time: working-day clocks, warnings, breaches, escalation."""
