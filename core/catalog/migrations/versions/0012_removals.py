"""The audit log of a visitor's workspace goes with the workspace; nothing else of any log is ever removed."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_APPEND_ONLY = "records of the audit log are never changed"
_REMOVED = "SELECT 1 FROM workspace WHERE workspace.workspace = OLD.workspace AND workspace.kind = 'removed'"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _refuse_change(f"IF TG_OP = 'DELETE' AND EXISTS ({_REMOVED}) THEN RETURN OLD; END IF;")
    else:
        op.execute("DROP TRIGGER append_only_delete")
        op.execute(
            f"CREATE TRIGGER append_only_delete BEFORE DELETE ON auditrecord WHEN NOT EXISTS ({_REMOVED}) "
            f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _refuse_change("")
    else:
        op.execute("DROP TRIGGER append_only_delete")
        op.execute(
            "CREATE TRIGGER append_only_delete BEFORE DELETE ON auditrecord "
            f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
        )


def _refuse_change(exception: str) -> None:
    op.execute(
        sa.text(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {exception} RAISE EXCEPTION '{_APPEND_ONLY}'; END $$"
        )
    )
