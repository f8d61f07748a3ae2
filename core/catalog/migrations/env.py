"""Alembic's entry: migrates over the connection that ``core.catalog.engine`` hands in."""

from alembic import context
from sqlmodel import SQLModel

import core.catalog.tables  # noqa: F401  (fills the metadata)

if hasattr(context, "config"):  # Alembic gives it one when it migrates; the collector of doctests imports this, too
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=SQLModel.metadata,
        transactional_ddl=True,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()
