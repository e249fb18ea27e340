"""The whole house in one process: every service, no broker, SQLite unless told otherwise."""
