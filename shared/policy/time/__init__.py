"""The working days of the policy's place, and what the policy says about clocks."""
