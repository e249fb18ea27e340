"""Alembic's environment, run by `migrations.py` with the connection and its transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    # SQLite, too, rolls tables back, since it is we who begin and commit
    transactional_ddl=True,
)
context.run_migrations()
