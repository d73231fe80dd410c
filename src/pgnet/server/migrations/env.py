"""Run by Alembic, with the connection that `pgnet.server.database.open_database` gives it."""

from alembic import context

from pgnet.server.database import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
