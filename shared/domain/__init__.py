"""The pure core: cases, events, commands, calendar, errors and the policy's protocol.

Nothing here reads a clock, writes a log, or knows of a database or a broker.
"""
