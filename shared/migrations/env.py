"""Alembic's entry: it runs on the connection that `shared.migrations` hands over."""

from alembic import context

attributes = context.config.attributes
connection = attributes["connection"]
connection.exec_driver_sql(
    "SET LOCAL lock_timeout = '5s'"
)  # a migration waits for no long transaction, and blocks none
context.configure(connection=connection, target_metadata=attributes["metadata"], compare_type=True)
context.run_migrations()
