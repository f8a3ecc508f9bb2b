"""Runs the migrations on the connection that `store.database` hands over."""

from alembic import context

from monitor_core.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
